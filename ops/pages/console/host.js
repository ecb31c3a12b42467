/** Requests to the host, and parts of a page that are loaded each by itself. */
import { useCallback, useEffect, useRef, useState } from "../vendor/htm-preact-3.1.1.js";
import { shownToken } from "../token.js";

const BASE = new URL("../api/console/", document.baseURI);

/** What the host says instead of an answer. `status` 0: it does not answer at all, as when it was ended. */
export class HostError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

/** The answer to a request, as JSON. Throws HostError; an abort is thrown as it is. */
export async function ask(path, { method = "GET", body, signal } = {}) {
  let response;
  let answer;
  try {
    response = await fetch(new URL(path, BASE), {
      method,
      signal,
      body: body && JSON.stringify(body),
      headers: { ...shownToken(), ...(body && { "Content-Type": "application/json" }) },
      cache: "no-store",
      credentials: "omit",
      redirect: "error",
    });
    answer = await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new HostError(0, "NO_HOST", "The host does not answer. Is `flywheel console` still running in its terminal?");
  }
  if (!response.ok) throw new HostError(response.status, answer.code, answer.message);
  return answer;
}

/**
 * A part of a page: `{data, error, loading, at, reload}`. With `every` it is asked for again after so many
 * milliseconds, only while the page is seen. What was there stays while it is asked for again, and when that fails.
 */
export function usePart(path, { every = 0 } = {}) {
  const [part, setPart] = useState({ path, data: null, error: null, loading: true, at: null });
  const going = useRef(null);
  const load = useCallback(async () => {
    going.current?.abort();
    const control = new AbortController();
    going.current = control;
    setPart((was) => ({ ...(was.path === path ? was : { path, data: null, error: null, at: null }), loading: true }));
    try {
      const data = await ask(path, { signal: control.signal });
      setPart({ path, data, error: null, loading: false, at: new Date() });
    } catch (error) {
      if (error.name === "AbortError") return;
      setPart((was) => ({ ...was, error, loading: false }));
    }
  }, [path]);
  useEffect(() => {
    load();
    const again = () => document.visibilityState === "visible" && load();
    const timer = every ? setInterval(again, every) : null;
    if (every) document.addEventListener("visibilitychange", again);
    return () => {
      going.current?.abort();
      clearInterval(timer);
      document.removeEventListener("visibilitychange", again);
    };
  }, [load, every]);
  return { ...part, reload: load };
}
