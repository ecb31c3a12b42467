/**
 * Answers on their way to the host, in the order in which they were given, one at a time. What the host cannot take now
 * waits and is tried again; what it refuses is told.
 */
import { Refused } from "./host.js";

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;

/** The trouble with the host that an error tells of. `kind` is offline, busy or refused. */
export function troubleOf(error) {
  if (!(error instanceof Refused)) return { kind: "offline", sentence: "" };
  return { kind: error.busy ? "busy" : "refused", sentence: error.message };
}

/** Pauses that grow from try to try, and that `wake` ends. */
export class BackOff {
  #tries = 0;
  #wake = null;

  async pause() {
    const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#tries++);
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, longest * (0.5 + Math.random() / 2));
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = null;
  }

  wake() {
    this.#wake?.();
  }

  reset() {
    this.#tries = 0;
  }
}

export class Outbox {
  #host;
  #backOff = new BackOff();
  #sending = false;
  #on;

  /**
   * `waiting` are requests {kind: "answer" | "undo", id, body} of before the page was loaded. `on` has
   * delivered(request, reply), refused(request, error), trouble(trouble | null) and changed().
   */
  constructor(host, waiting, on) {
    this.#host = host;
    // The host may have got them: then undo has to ask it, and cannot just leave them away.
    this.waiting = waiting.map((request) => ({ ...request, tried: true }));
    this.#on = on;
  }

  get isEmpty() {
    return this.waiting.length === 0;
  }

  has(id) {
    return this.waiting.some((request) => request.id === id);
  }

  put(request) {
    this.waiting.push(request);
    this.#on.changed();
    this.send();
  }

  /** Takes back an answer that the host has certainly not got. False if it may have. */
  takeBack(id) {
    const place = this.waiting.findLastIndex((request) => request.id === id);
    if (place < 0 || this.waiting[place].kind !== "answer" || this.waiting[place].tried) return false;
    this.waiting.splice(place, 1);
    this.#on.changed();
    return true;
  }

  /** Leaves away all that is said of an item. */
  drop(id) {
    this.waiting = this.waiting.filter((request) => request.id !== id);
  }

  wake() {
    this.#backOff.wake();
  }

  async send() {
    if (this.#sending) return;
    this.#sending = true;
    while (this.waiting.length) {
      const [request] = this.waiting;
      const { kind, id, body } = request;
      request.tried = true;
      const outcome = await (kind === "undo" ? this.#host.undo(id) : this.#host.answer(id, body)).then(
        (reply) => ({ reply }),
        (error) => ({ error }),
      );
      if (outcome.error && !outcome.error.ofAnAnswer) {
        this.#on.trouble(troubleOf(outcome.error));
        await this.#backOff.pause();
        continue;
      }
      this.waiting = this.waiting.filter((other) => other !== request);
      this.#backOff.reset();
      this.#on.trouble(null);
      if (outcome.error) this.#on.refused(request, outcome.error);
      else this.#on.delivered(request, outcome.reply);
      this.#on.changed();
    }
    this.#sending = false;
  }
}
