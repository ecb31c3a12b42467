const LONGEST = 500;

/** What outlives a reload of the page, in this tab only: ids of items and what was said of them. Never a text. */
export class Memory {
  #key;

  constructor({ flywheel, reviewer }) {
    this.#key = `review:${flywheel}:${reviewer}`;
  }

  /** {outbox, history} of before. */
  read() {
    try {
      const { outbox = [], history = [] } = JSON.parse(sessionStorage.getItem(this.#key)) ?? {};
      return { outbox, history };
    } catch {
      return { outbox: [], history: [] };
    }
  }

  write({ outbox, history }) {
    const kept = {
      outbox: outbox.map(({ kind, id, body }) => ({ kind, id, body })),
      history: history.slice(-LONGEST).map(({ id, body }) => ({ id, body })),
    };
    try {
      sessionStorage.setItem(this.#key, JSON.stringify(kept));
    } catch {
      // Full or forbidden: the page works as long as it is not reloaded.
    }
  }
}
