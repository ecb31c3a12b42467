/**
 * The host's JSON contract, docs/review-api.md. Addresses are relative to the page, so that the same files work behind
 * any host. Who the reviewer is, the host knows: nothing here says it.
 */
import { shownToken } from "../token.js";

const BASE = new URL("../api/review/", document.baseURI);
const PATIENCE = 30_000;
/** Errors that say something of one answer. All others say something of the host: the same request may pass later. */
const OF_AN_ANSWER = new Set(["INVALID_ANSWER", "ITEM_GONE", "CLAIM_LOST", "PUBLISHED"]);
/** The same of hosts with codes of their own: bad, unknown and too long requests stay so. */
const NEVER = new Set([400, 404, 405, 410, 413, 415, 422]);

/** The host answered, and not with what was asked for. `message` is a sentence for people. */
export class Refused extends Error {
  constructor(status, { code = "", message = "" } = {}) {
    super(message || `The host answered with status ${status}.`);
    this.status = status;
    this.code = code;
  }

  get ofAnAnswer() {
    return OF_AN_ANSWER.has(this.code) || NEVER.has(this.status);
  }

  /** It will pass by itself. */
  get busy() {
    return this.code === "UNAVAILABLE" || this.status === 429 || this.status >= 500;
  }
}

/** No answer came. */
export class Unreachable extends Error {}

async function call(method, path, body) {
  let response;
  let content;
  try {
    response = await fetch(new URL(path, BASE), {
      method,
      body: body && JSON.stringify(body),
      headers: { ...shownToken(), ...(body && { "Content-Type": "application/json" }) },
      cache: "no-store",
      credentials: "same-origin",
      redirect: "error",
      signal: AbortSignal.timeout(PATIENCE),
    });
    content = await response.text();
  } catch (error) {
    throw new Unreachable("The host does not answer.", { cause: error });
  }
  try {
    content = content ? JSON.parse(content) : {};
  } catch {
    content = null;
  }
  if (response.ok && content) return content;
  throw new Refused(response.ok ? 502 : response.status, content ?? {});
}

const answerOf = (item) => `answers/${encodeURIComponent(item)}`;

export const host = {
  session: () => call("GET", "session"),
  claim: (count) => call("POST", "claims", { count }),
  answer: (item, answer) => call("PUT", answerOf(item), answer),
  undo: (item) => call("DELETE", answerOf(item)),
  guidelines: () => call("GET", "guidelines"),
};
