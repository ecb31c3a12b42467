/**
 * What a reviewer has to do: items that are loaded before they are needed, answers that can be taken back, and what
 * became of both. Knows nothing of how it is shown.
 */
import { excerpt } from "./characters.js";
import { BackOff, Outbox, troubleOf } from "./outbox.js";

const FEW = 4;
/** The host gives no more at once. */
const MOST = 50;
const LOOK_AGAIN = 30_000;
/** So many characters of answered texts stay in memory for undo; older ones are asked from the host again. */
const REMEMBERED = 5_000_000;

export class ReviewQueue {
  /** Loaded and not answered; the first one is shown. */
  items = [];
  /** What the reviewer said, {id, body, item}, the latest last. `item` is null of what a reload left without text. */
  history = [];
  /** What the reviewer has to know, {key, sentence}, until they close it. */
  notices = [];
  answered = 0;
  waiting = { count: 0, more: false };
  /** Nothing waits, and this was seen at this time (ms). */
  emptySince = null;
  /** {kind, sentence}, or null if the host answers. */
  trouble = null;
  /** An undo that needs the host's copy of the text. */
  fetching = false;

  #host;
  #memory;
  #changed = () => {};
  #session;
  #outbox;
  #backOff = new BackOff();
  #asking = false;
  #asked = 0;
  #clock = 0;
  #touched = new Map();
  #started = false;
  #noticed = 0;

  constructor({ host, memory, session }) {
    this.#host = host;
    this.#memory = memory;
    this.#session = session;
    const { outbox, history } = memory.read();
    this.history = history.map((entry) => ({ ...entry, item: null }));
    this.#outbox = new Outbox(host, outbox, {
      delivered: (request, reply) => this.#delivered(request, reply),
      refused: (request, error) => this.#refused(request, error),
      trouble: (trouble) => this.#setTrouble(trouble),
      changed: () => this.#keep(),
    });
  }

  get current() {
    return this.items[0] ?? null;
  }

  /** Answers that the host has not got. */
  get unsaved() {
    return this.#outbox.waiting.length;
  }

  /** Of all that is, or was, to do. */
  get total() {
    return this.answered + this.items.length + this.waiting.count;
  }

  /** `listener` is called after every change. There is one. */
  onChange(listener) {
    this.#changed = listener;
  }

  start() {
    setInterval(() => this.#tick(), 5_000);
    document.addEventListener("visibilitychange", () => this.#tick());
    window.addEventListener("online", () => this.retry());
    this.#outbox.send();
    this.ask();
  }

  /** What is said of the current item: {verdict, labels | entities}. The next one is the current one at once. */
  answer(body) {
    const item = this.items.shift();
    this.#touch(item.id);
    this.history.push({ id: item.id, body, item });
    this.#forgetTexts();
    if (body.verdict === "ANSWER") this.answered++;
    this.#outbox.put({ kind: "answer", id: item.id, body });
    this.#askIfFew();
  }

  /** Takes the last answer back. Its item is the current one again. False if there is none. */
  undo() {
    const last = this.history.pop();
    if (!last) return false;
    if (last.body.verdict === "ANSWER") this.answered = Math.max(0, this.answered - 1);
    this.#touch(last.id);
    if (last.item) this.items.unshift(this.#shown(last.item, { former: last.body }));
    else this.fetching = true;
    if (!this.#outbox.takeBack(last.id)) this.#outbox.put({ kind: "undo", id: last.id, body: last.body });
    return true;
  }

  /** Tries at once what waits for the host. */
  retry() {
    this.#outbox.wake();
    this.#backOff.wake();
    if (this.emptySince !== null) this.ask();
  }

  close(notice) {
    this.notices = this.notices.filter((other) => other !== notice);
    this.#changed();
  }

  /** Asks for items, and so renews the claims of those that are here. */
  async ask() {
    if (this.#asking) return;
    this.#asking = true;
    let delivered = false;
    while (!delivered) {
      const since = ++this.#clock;
      const unsent = new Set(this.#outbox.waiting.map(({ id }) => id)).size;
      const count = Math.min(MOST, Math.max(this.#session.batch, this.items.length) + unsent);
      const { reply, error } = await this.#host.claim(count).then(
        (reply) => ({ reply }),
        (error) => ({ error }),
      );
      if (error) {
        this.#setTrouble(troubleOf(error));
        await this.#backOff.pause();
        continue;
      }
      this.#take(reply, since);
      this.#backOff.reset();
      if (this.#outbox.isEmpty) this.#setTrouble(null);
      // Nothing new, because the host had not yet got what was said since: it has now.
      delivered = this.current !== null || !this.#outbox.isEmpty || this.emptySince !== null;
    }
    this.#asking = false;
    this.#changed();
  }

  #take(reply, since) {
    this.#asked = Date.now();
    const said = (id) => this.#outbox.has(id) || (this.#touched.get(id) ?? 0) > since;
    const given = new Set(reply.items.map(({ id }) => id));
    const here = new Set(this.items.map(({ id }) => id));
    const fresh = reply.items.filter(({ id }) => !here.has(id) && !said(id));
    // What the reviewer holds comes before anything new: what is not among it is not theirs any more.
    const lost = reply.items.length < MOST ? this.items.filter(({ id }) => !given.has(id) && !said(id)) : [];
    if (lost.includes(this.current)) {
      const name = excerpt(this.current.text);
      this.#tell(`The text “${name}” is not reserved for you any more: somebody else has it, or it was deleted.`);
    }
    this.items = [...this.items.filter((item) => !lost.includes(item)), ...fresh.map((item) => this.#shown(item))];
    this.waiting = reply.waiting;
    if (!this.#started) {
      const unsent = this.#outbox.waiting.filter(({ kind, body }) => kind === "answer" && body.verdict === "ANSWER");
      this.answered = reply.answered + unsent.length;
      this.#started = true;
    }
    const outdated = reply.items.some(({ id }) => said(id));
    this.emptySince = this.items.length || !this.#outbox.isEmpty || outdated ? null : Date.now();
  }

  /** Remembers that something is said of an item now: a reply to an earlier question does not know it. */
  #touch(id) {
    this.#touched.set(id, ++this.#clock);
  }

  /** An item to show, with a `visit` of its own each time that it comes. */
  #shown(item, more) {
    return { ...item, ...more, visit: ++this.#clock };
  }

  #askIfFew() {
    // The last ones of a queue: there is nothing more to ask for until they are done, or the next look.
    const nothingMore = this.items.length > 0 && this.waiting.count === 0 && Date.now() - this.#asked < LOOK_AGAIN;
    if (this.items.length <= FEW && !nothingMore) this.ask();
  }

  #tick() {
    if (document.hidden) return;
    const age = Date.now() - this.#asked;
    const renewal = (this.#session.claim_seconds * 1_000) / 3;
    if (this.emptySince !== null ? age >= LOOK_AGAIN : age >= renewal) this.ask();
  }

  #delivered(request, reply) {
    this.#touch(request.id);
    if (request.kind === "undo" && !this.items.some(({ id }) => id === request.id) && !this.#outbox.has(request.id)) {
      this.items.unshift(this.#shown(reply.item, { former: request.body }));
      this.fetching = false;
      this.emptySince = null;
    }
    if (this.#outbox.isEmpty && this.#started) this.#askIfFew();
  }

  #refused(request, error) {
    const { id } = request;
    const place = this.history.findLastIndex((entry) => entry.id === id);
    const item = this.items.find((other) => other.id === id) ?? (place < 0 ? null : this.history[place].item);
    const name = item ? `“${excerpt(item.text)}”` : "a text from before the page was loaded";
    if (request.kind === "answer" && error.code === "INVALID_ANSWER") {
      this.#tell(`Your answer to ${name} was not taken, and the text comes again: ${error.message}`);
      this.#outbox.drop(id);
      if (place >= 0) this.#leave(place);
      const again = item && this.#shown(item, { former: request.body, problem: error.message });
      // Behind the one that somebody is at.
      if (again && !this.items.includes(item)) this.items.splice(1, 0, again);
    } else {
      const what = request.kind === "undo" ? "could not be taken back" : "was not taken";
      this.#tell(`Your answer to ${name} ${what}: ${error.message}`);
      this.#outbox.drop(id);
      this.items = this.items.filter((other) => other.id !== id);
      if (place >= 0) this.#leave(place);
      if (request.kind === "undo" && request.body.verdict === "ANSWER") this.answered++;
    }
    this.fetching = this.fetching && this.#outbox.waiting.some(({ kind }) => kind === "undo");
    if (this.#started) this.#askIfFew();
  }

  /** What was refused counts no more, and cannot be undone. */
  #leave(place) {
    const [{ body }] = this.history.splice(place, 1);
    if (body.verdict === "ANSWER") this.answered = Math.max(0, this.answered - 1);
  }

  #tell(sentence) {
    this.notices = [...this.notices, { key: ++this.#noticed, sentence }];
  }

  #setTrouble(trouble) {
    this.trouble = trouble;
    this.#changed();
  }

  #forgetTexts() {
    let length = 0;
    for (const entry of this.history.toReversed()) {
      length += entry.item?.text.length ?? 0;
      if (length > REMEMBERED) entry.item = null;
    }
  }

  #keep() {
    this.#memory.write({ outbox: this.#outbox.waiting, history: this.history });
    this.#changed();
  }
}
