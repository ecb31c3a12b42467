// The host that this page came from: the secret of the page's address, and requests that show it.
//
// The address has the secret in its fragment, which the browser sends to nobody. It is kept for this tab, so that the
// page can be reloaded, and taken out of the address bar, so that it is in no bookmark and no shared screen.

const KEPT = "flywheel-token";

function takeToken() {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given !== null) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT);
}

const token = takeToken();

/** What the host says instead of an answer. `status` 0: it does not answer at all, as when it was ended. */
export class HostError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The host's answer to a request, as JSON. Throws HostError; an abort is thrown as it is. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  const headers = { "X-Flywheel-Token": token ?? "" };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(`/api/${path}`, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: "omit",
      redirect: "error",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new HostError(0, "NO_HOST", "The host does not answer: is the command still running in its terminal?");
  }
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new HostError(response.status, "FAILED", `The host answered ${response.status} without a reason.`);
  }
  if (!response.ok) throw new HostError(response.status, answer.code, answer.message);
  return answer;
}

/** A path to another page of this host that may be opened in a new tab: it takes the secret along. */
export const withToken = (path) => `${path}#token=${token ?? ""}`;
