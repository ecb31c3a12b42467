/** An item of an entity recognizer: its text, in which words are marked with a type. Offsets are UTF-16 units. */
import { html, useLayoutEffect, useMemo, useRef, useState } from "../vendor/htm-preact-3.1.1.js";
import { excerpt } from "./characters.js";
import { Choices, numbered, percent } from "./choices.js";
import { fromContract, toContract } from "./offsets.js";
import { Others, startOf } from "./others.js";
import { Text, endOf, offsetOf } from "./text.js";
import { Words } from "./words.js";

const COLOURS = 8;
const quoted = (text, { begin, end }) => `\u201c${excerpt(text.slice(begin, end))}\u201d`;
const overlaps = (one, other) => one.begin < other.end && other.begin < one.end;
const contains = (outer, inner) => outer.begin <= inner.begin && inner.end <= outer.end;
const union = (one, other) => ({ begin: Math.min(one.begin, other.begin), end: Math.max(one.end, other.end) });

function startMarks({ text, ...item }, types) {
  const take = ({ entities }) => fromContract(text, entities);
  const marks = startOf(item, { former: take, proposal: take, suggestion: take });
  return marks.filter(({ type }) => types.includes(type));
}

export function useRecognizer({ item, session, onAnswer, say, leave }) {
  const { text } = item;
  const types = session.labels;
  const [marks, setMarks] = useState(() => startMarks(item, types));
  // Where a selection began and where it is now: words. What is between them is selected.
  const [ends, setEnds] = useState(null);
  const dragged = useRef(null);
  const root = useRef(null);
  const [whole, setWhole] = useState(false);
  const end = endOf(text, whole);
  const words = useMemo(() => new Words(text.slice(0, end)), [text, end]);
  const selection = ends && union(ends.anchor, ends.focus);
  const active = selection && marks.find((mark) => contains(mark, selection));
  const said = new Set((item.suggestion?.entities ?? []).map(({ type }) => type));
  const gone = [...said].filter((type) => !types.includes(type));

  const select = (anchor, focus = anchor) => {
    dragged.current = null;
    setEnds({ anchor, focus });
    const chosen = union(anchor, focus);
    const mark = marks.find((other) => contains(other, chosen));
    say(mark ? `${quoted(text, mark)} is marked as ${mark.type}.` : `Selected: ${quoted(text, chosen)}`);
  };
  const markOr = (word) => marks.find((mark) => overlaps(mark, word)) ?? word;
  const move = (forward, extend) => {
    const at = ends?.focus ?? { begin: end, end: 0 };
    const signs = extend && ends !== null;
    const next = forward ? words.next(at.end, { signs }) : words.previous(at.begin, { signs });
    if (!next && !forward) return say("The text begins here.");
    if (!next) return say(end < text.length ? "The text is shown to here." : "The text ends here.");
    return signs ? select(ends.anchor, next) : select(markOr(next));
  };
  const arrow = (right, extend) => move(right !== words.isRightToLeft(ends?.focus.begin ?? 0), extend);

  /** What the browser has selected in the text, as whole words. */
  const browserSelection = () => {
    const chosen = document.getSelection();
    if (!chosen?.rangeCount || !root.current) return null;
    const range = chosen.getRangeAt(0);
    const begin = offsetOf(root.current, range.startContainer, range.startOffset);
    const end = offsetOf(root.current, range.endContainer, range.endOffset);
    if (begin === null || end === null) return null;
    return { begin, end };
  };
  const released = (event) => {
    const range = browserSelection();
    if (!range) return;
    // Fingers go on with the browser's handles, which a redrawn text would take away.
    if (range.begin !== range.end && event.pointerType === "touch") return;
    const { focusNode, focusOffset } = document.getSelection();
    const word = words.around(offsetOf(root.current, focusNode, focusOffset) ?? range.end);
    document.getSelection().removeAllRanges();
    if (event.shiftKey && ends && word) {
      select(ends.anchor, word);
    } else if (range.begin !== range.end) {
      const snapped = words.snap(range.begin, range.end);
      if (snapped) select(snapped);
    } else if (word) {
      select(markOr(word));
    } else {
      setEnds(null);
    }
  };
  useLayoutEffect(() => {
    const changed = () => {
      const range = browserSelection();
      if (range && range.begin !== range.end) dragged.current = words.snap(range.begin, range.end);
    };
    document.addEventListener("selectionchange", changed);
    return () => document.removeEventListener("selectionchange", changed);
  }, [words]);

  const mark = (type) => {
    const wanted = dragged.current ?? selection;
    if (!wanted) return say(`Select words first; then choose their ${session.label_word}.`);
    dragged.current = null;
    document.getSelection()?.removeAllRanges();
    const around = marks.find((other) => contains(other, wanted));
    const other = marks.find((one) => one !== around && overlaps(one, wanted));
    if (other) {
      setEnds({ anchor: wanted, focus: wanted });
      const both = `${quoted(text, wanted)} overlaps ${quoted(text, other)}`;
      return say(`${both}, which is marked as ${other.type}: delete that first.`);
    }
    const made = { type, begin: (around ?? wanted).begin, end: (around ?? wanted).end, score: null };
    setMarks([...marks.filter((one) => one !== around), made].sort((one, two) => one.begin - two.begin));
    setEnds({ anchor: made, focus: made });
    return say(`${quoted(text, made)} is now ${type}.`);
  };
  const remove = (gone) => {
    if (!gone) return say("No mark is selected.");
    setMarks(marks.filter((one) => one !== gone));
    return say(`${quoted(text, gone)} is marked no more.`);
  };
  const accept = () => onAnswer({ verdict: "ANSWER", entities: toContract(text, marks) });
  const take = (said) => {
    setMarks(startMarks({ ...item, former: { verdict: "ANSWER", entities: said.entities } }, types));
    setEnds(null);
  };

  const choices = types.map((name, index) => ({
    name,
    score: null,
    said: [],
    suggested: false,
    chosen: active?.type === name,
    class: `type type-${index % COLOURS}`,
  }));
  const classOf = ({ type }) => `type-${types.indexOf(type) % COLOURS}`;
  const commands = {
    accept,
    left: ({ extend }) => arrow(false, extend),
    right: ({ extend }) => arrow(true, extend),
    delete: () => remove(active),
    leave: () => setEnds(null),
    choose: ({ number }) => {
      const choice = numbered(choices)[number - 1];
      if (choice) mark(choice.name);
      else say(`No ${session.label_word} has the number ${number}.`);
    },
  };
  const shown = html`
    <${Text} text=${text} whole=${whole} onWhole=${() => setWhole(true)} inner=${root} selection=${selection}
      marks=${marks.map((one) => ({ ...one, class: classOf(one) }))} onPointerUp=${released} tabindex="0"
      role="textbox" aria-readonly="true" aria-multiline="true" aria-label="Text: the arrow keys select words" />
    ${gone.length > 0 && html`<p class="notice mild">
      ${`The model marked ${gone.join(", ")}, which this flywheel has no more.`}</p>`}
    <section aria-labelledby="marks-heading"><h2 id="marks-heading">Marked: ${marks.length || "nothing"}</h2>
      <ul class="marks">${marks.map((one) => html`<li key=${one.begin} class="${one === active ? "active" : ""}">
        <button type="button" class="quiet" aria-pressed=${String(one === active)} onClick=${() => select(one)}>
          <bdi>${excerpt(text.slice(one.begin, one.end))}</bdi>
          <span class="tag ${classOf(one)}">${one.type}</span>
          ${typeof one.score === "number" && html`<span class="soft number">${percent(one.score)}</span>`}
        </button>
        <button type="button" class="quiet" aria-label="Delete the mark of ${excerpt(text.slice(one.begin, one.end))}"
          onClick=${() => remove(one)}>Delete${one === active && html` <kbd aria-hidden="true">Del</kbd>`}</button>
      </li>`)}</ul></section>
    <${Others} item=${item} onTake=${take} />
  `;
  const panel = html`
    <${Choices} heading=${active ? `Which ${session.label_word}?` : `Select words, then their ${session.label_word}`}
      word=${session.label_word} choices=${choices} pressed onChoose=${mark} onAccept=${accept} onLeave=${leave} />
  `;
  const count = marks.length === 1 ? "1 mark" : `${marks.length || "no"} marks`;
  return { text: shown, panel, commands, ready: `Accept ${count}` };
}
