/** Labels, or types, to choose from: nine have a number, the others are found by typing. */
import { html, useState } from "../vendor/htm-preact-3.1.1.js";

const NUMBERS = 9;
const plain = (name) => name.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();

/** `choices` are {name, score, said, chosen, suggested, class}. Up to nine keep their order; of more, the likeliest. */
export function numbered(choices) {
  if (choices.length <= NUMBERS) return choices;
  const weight = ({ suggested, said, score }) => (suggested ? 4 : 0) + (said.length ? 2 : 0) + (score ?? -1);
  return [...choices].sort((one, other) => weight(other) - weight(one)).slice(0, NUMBERS);
}

export function matching(choices, typed) {
  const wanted = plain(typed.trim());
  const found = choices.filter(({ name }) => plain(name).includes(wanted));
  return found.sort((one, other) => plain(other.name).startsWith(wanted) - plain(one.name).startsWith(wanted));
}

export const percent = (score) => `${(100 * score).toFixed(score < 0.9995 && score > 0.99 ? 1 : 0)}\u00a0%`;

function Facts({ choice, enter }) {
  return html`<span class="name">${choice.name}</span>
    <span class="facts">
      ${choice.said.map((by) => html`<span class="badge">${by}</span>`)}
      ${choice.suggested && html`<span class="unseen">suggested</span>`}
      ${choice.score !== null && html`<span class="number">${percent(choice.score)}</span>`}
      ${enter && choice.suggested && html`<kbd aria-hidden="true">Enter</kbd>`}
    </span>`;
}

function Choice({ choice, number, toggles, pressed, enter, onChoose }) {
  const name = `choice ${choice.suggested ? "suggested" : ""} ${choice.chosen ? "chosen" : ""} ${choice.class ?? ""}`;
  const key = number ? html`<kbd aria-hidden="true">${number}</kbd>` : null;
  if (toggles) {
    return html`<label class=${name}>${key}<input type="checkbox" checked=${choice.chosen}
      aria-keyshortcuts=${number || null} onChange=${() => onChoose(choice.name)} />
      <${Facts} choice=${choice} enter=${enter} /></label>`;
  }
  return html`<button type="button" class=${name} aria-keyshortcuts=${number || null}
    aria-pressed=${pressed ? String(Boolean(choice.chosen)) : null}
    onClick=${() => onChoose(choice.name)}>${key}<${Facts} choice=${choice} enter=${enter} /></button>`;
}

/** Among more labels than there are numbers: a field, and below it what was found, in place of the numbered ones. */
function Filter({ word, choices, open, setOpen, shown, onChoose, onAccept, onLeave }) {
  const [typed, setTyped] = useState("");
  const wanted = typed.trim();
  const found = open ? matching(choices, typed) : [];
  const choose = (name) => {
    setTyped("");
    onChoose(name);
  };
  const pressed = (event) => {
    if (event.isComposing) return;
    if (event.key === "Enter") {
      if (wanted === "") onAccept();
      else if (found.length) choose(found[0].name);
    } else if (event.key === "Escape") {
      setTyped("");
      setOpen(false);
      onLeave();
    } else if (event.key === "ArrowDown") {
      event.currentTarget.closest(".more").querySelector(".found :is(button, input)")?.focus();
    } else {
      return;
    }
    event.preventDefault();
  };
  const others = found.length > 1 ? `, the first of ${found.length}` : "";
  const hint = found.length ? `Enter takes ${found[0].name}${others}.` : `No ${word} is called so.`;
  return html`<div class="more">
    <div class="field"><label for="filter" class="unseen">Find one of ${choices.length} ${word}s</label>
      <input type="search" id="filter" value=${typed} placeholder="Find one of ${choices.length} ${word}s"
        autocomplete="off" spellcheck=${false} aria-keyshortcuts="/" aria-describedby="found"
        onFocus=${() => setOpen(true)} onInput=${(event) => setTyped(event.currentTarget.value)} onKeyDown=${pressed} />
      <kbd aria-hidden="true">${open ? "Esc" : "/"}</kbd></div>
    <p id="found" class="soft" role="status" hidden=${!open}>${wanted ? hint : "Type a part of its name."}</p>
    ${open && html`<ul class="found">${found.map((choice, index) => html`<li key=${choice.name}
      class=${index === 0 && wanted ? "first" : ""}>
      <${Choice} choice=${choice} onChoose=${choose} ...${shown} /></li>`)}
    </ul>`}
  </div>`;
}

/**
 * `toggles`: any number of them is chosen, each is a check box. `pressed`: buttons say whether they are chosen.
 * `enter`: the key that accepts is shown at what is suggested. `onAccept` is Enter in a field that is empty.
 */
export function Choices({ heading, word, choices, toggles, pressed, enter, onChoose, onAccept, onLeave }) {
  const [open, setOpen] = useState(false);
  const shown = { toggles, pressed, enter };
  const more = choices.length > NUMBERS;
  return html`<div class="choices ${more ? "many" : ""}" role="group" aria-labelledby="choices-heading">
    <h3 id="choices-heading">${heading}</h3>
    ${more && html`<${Filter} word=${word} choices=${choices} open=${open} setOpen=${setOpen} shown=${shown}
      onChoose=${onChoose} onAccept=${onAccept} onLeave=${onLeave} />`}
    ${!open && html`<ol class="numbered">${numbered(choices).map((choice, index) => html`<li
      key=${more ? index : choice.name}>
      <${Choice} choice=${choice} number=${index + 1} onChoose=${onChoose} ...${shown} /></li>`)}</ol>`}
  </div>`;
}
