/** Words of a text, to which what people select is widened. Offsets are UTF-16 units. */

const segmenter = new Intl.Segmenter(undefined, { granularity: "word" });
const POSSESSIVE = /['\u2019]s$/i;
/** A segment that the arrow keys stop at: words, emoji and symbols, not punctuation. */
const STOP = /[\p{L}\p{N}\p{S}\p{Extended_Pictographic}]/u;
const SPACE = /^[\s\u0085]*$/u;
const RIGHT_TO_LEFT = /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

export class Words {
  #segments;

  constructor(text) {
    this.text = text;
    this.#segments = segmenter.segment(text);
  }

  /** {begin, end} of the word, sign or space at an offset inside the text. "Ada's" is two: its name can be marked. */
  at(offset) {
    const { index, segment } = this.#segments.containing(offset);
    const end = index + segment.length;
    const possessive = POSSESSIVE.test(segment) && segment.length > 2 ? end - 2 : end;
    return offset < possessive ? { begin: index, end: possessive } : { begin: possessive, end };
  }

  /** {begin, end} widened to whole words, without space around; null if nothing else is in it. */
  snap(begin, end) {
    while (begin < end && SPACE.test(this.text[begin])) begin++;
    while (begin < end && SPACE.test(this.text[end - 1])) end--;
    if (begin === end) return null;
    return { begin: this.at(begin).begin, end: this.at(end - 1).end };
  }

  /** What a click between two characters means: the word after it, else the one before; null in empty space. */
  around(offset) {
    const touching = [offset, offset - 1].filter((place) => place >= 0 && place < this.text.length);
    const found = touching.map((place) => this.at(place)).filter((segment) => !this.#isSpace(segment));
    return found.find((segment) => this.#isStop(segment)) ?? found[0] ?? null;
  }

  /** The next word from an offset on; with `signs` punctuation counts as well. Null at the end. */
  next(offset, { signs = false } = {}) {
    while (offset < this.text.length) {
      const segment = this.at(offset);
      if (segment.begin >= offset && this.#counts(segment, signs)) return segment;
      offset = segment.end;
    }
    return null;
  }

  /** The last word that ends at an offset or before it. */
  previous(offset, { signs = false } = {}) {
    while (offset > 0) {
      const segment = this.at(offset - 1);
      if (segment.end <= offset && this.#counts(segment, signs)) return segment;
      offset = segment.begin;
    }
    return null;
  }

  /** Whether the line at an offset reads from right to left. */
  isRightToLeft(offset) {
    const begin = this.text.lastIndexOf("\n", offset - 1) + 1;
    const letter = /\p{L}/u.exec(this.text.slice(begin, begin + 1_000));
    return letter !== null && RIGHT_TO_LEFT.test(letter[0]);
  }

  #isSpace({ begin, end }) {
    return SPACE.test(this.text.slice(begin, end));
  }

  #isStop({ begin, end }) {
    return STOP.test(this.text.slice(begin, end));
  }

  #counts(segment, signs) {
    return signs ? !this.#isSpace(segment) : this.#isStop(segment);
  }
}
