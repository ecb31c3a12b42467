/** The text of an item, with what is marked and selected in it. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { pieces } from "./characters.js";

const FIRST = 10_000;
const PART = 20_000;

/** Parts of a long text, so that the browser lays out only what is seen; cut at the end of a line or word if any. */
export function partsOf(text, length = text.length) {
  const parts = [];
  for (let begin = 0; begin < length; ) {
    let end = Math.min(length, begin + PART);
    if (end < text.length) {
      const line = text.lastIndexOf("\n", end - 1) + 1;
      const word = text.lastIndexOf(" ", end - 1) + 1;
      if (line > begin) end = line;
      else if (word > begin) end = word;
    }
    // Never within a pair.
    if (end < text.length && text.codePointAt(end - 1) > 0xffff) end++;
    parts.push({ begin, end });
    begin = end;
  }
  return parts;
}

function Pieces({ text, begin, end }) {
  return pieces(text, begin, end).map((piece) => {
    if (piece.mark === "control") {
      return html`<span class="control" data-at=${piece.begin} data-to=${piece.end}>${piece.shown}</span>`;
    }
    return html`<span data-at=${piece.begin} data-to=${piece.mark ? piece.end : null}>${piece.shown}</span>`;
  });
}

/** text[begin:end], the selected part of it marked. */
function Selected({ text, begin, end, selection }) {
  const from = Math.min(Math.max(selection?.begin ?? end, begin), end);
  const to = Math.max(from, Math.min(selection?.end ?? end, end));
  const plain = (first, last) => first < last && html`<${Pieces} text=${text} begin=${first} end=${last} />`;
  return [plain(begin, from), from < to && html`<span class="selected">${plain(from, to)}</span>`, plain(to, end)];
}

function Part({ text, begin, end, marks, selection }) {
  const shown = [];
  let from = begin;
  for (const mark of marks) {
    const [first, last] = [Math.max(mark.begin, begin), Math.min(mark.end, end)];
    if (first >= last) continue;
    shown.push(html`<${Selected} text=${text} begin=${from} end=${first} selection=${selection} />`);
    shown.push(html`<mark class=${mark.class} data-type=${last === mark.end ? mark.type : null}><${Selected}
      text=${text} begin=${first} end=${last} selection=${selection} /></mark>`);
    from = last;
  }
  shown.push(html`<${Selected} text=${text} begin=${from} end=${end} selection=${selection} />`);
  return shown;
}

/** The end of what is shown of a text: of a long one only the beginning, until somebody asks for the `whole`. */
export function endOf(text, whole) {
  return whole || text.length <= FIRST ? text.length : partsOf(text, FIRST).at(-1).end;
}

/**
 * `marks` are {begin, end, type, class} in the order of the text, `selection` {begin, end} or null, in UTF-16 units.
 * `onWhole` is called if all of a long text is wanted. What else is given goes to the element that holds the text.
 */
export function Text({ text, whole, onWhole, marks = [], selection = null, inner, ...attributes }) {
  const end = endOf(text, whole);
  const parts = partsOf(text, end);
  return html`
    <div class="text ${parts.length > 1 ? "long" : ""}" dir="auto" ref=${inner} ...${attributes}>
      ${parts.map((part) => html`<div class="part" key=${part.begin}><${Part} text=${text} begin=${part.begin}
        end=${part.end} marks=${marks} selection=${selection} /></div>`)}
      ${text.trim() === "" && html`<em class="soft">${text === "" ? "An empty text" : "Only space"}</em>`}
    </div>
    ${end < text.length && html`<p class="notice">
      <span>${`The first ${end.toLocaleString("en")} of ${text.length.toLocaleString("en")} characters.`}</span>
      <button type="button" onClick=${onWhole}>Show all</button></p>`}
  `;
}

/** The offset in the text, UTF-16 units, of a position in what shows it. Null outside. */
export function offsetOf(root, node, offset) {
  if (!root.contains(node)) return null;
  const element = node.nodeType === Node.TEXT_NODE ? node.parentElement.closest("[data-at]") : null;
  if (element) {
    const { at, to } = element.dataset;
    if (to !== undefined) return Number(offset > 0 ? to : at);
    return Number(at) + offset;
  }
  // Between elements: the end of the last piece before, or the beginning of the text.
  const range = document.createRange();
  range.setStart(root, 0);
  range.setEnd(node, offset);
  const before = [...root.querySelectorAll("[data-at]")].findLast((piece) => range.comparePoint(piece, 0) <= 0);
  if (!before) return 0;
  return Number(before.dataset.to ?? Number(before.dataset.at) + before.textContent.length);
}
