/** What the keys of the page mean. Every one of them has a control as well. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { Dialog } from "./dialog.js";

const LETTERS = { u: "undo", s: "skip", "?": "not-sure", h: "guidelines", k: "keys", "/": "filter" };
const NAMED = { Enter: "accept", Escape: "leave", ArrowLeft: "left", ArrowRight: "right", Delete: "delete",
  Backspace: "delete" };
/** Enter and the arrows are theirs. */
const CONTROLS = "button, a[href], summary, select, input";
/** What must not be done again and again because a key is held. */
const ONCE = new Set(["accept", "undo", "skip", "not-sure", "choose"]);

const TEXT_FIELDS = "input:not([type=checkbox]), textarea, [contenteditable]";

function isIn(target, selector) {
  return target instanceof Element ? target.closest(selector) : null;
}

/**
 * {name, number, extend} of a keydown event, or null. Keys are taken by what they write, wherever a keyboard has them;
 * with Ctrl, Alt or the command key, or in a text field, they are no commands.
 */
export function commandOf(event) {
  if (event.defaultPrevented || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return null;
  if (isIn(event.target, TEXT_FIELDS)) return null;
  const { key } = event;
  let command = null;
  if (/^[1-9]$/.test(key)) command = { name: "choose", number: Number(key) };
  else if (Object.hasOwn(NAMED, key)) command = { name: NAMED[key], extend: event.shiftKey };
  else {
    const letter = event.getModifierState("CapsLock") ? key.toLowerCase() : key;
    if (Object.hasOwn(LETTERS, letter)) command = { name: LETTERS[letter] };
  }
  if (!command) return null;
  const control = isIn(event.target, CONTROLS);
  if (control && command.name === "accept" && control.type !== "checkbox") return null;
  if (event.repeat && ONCE.has(command.name)) return { name: "nothing" };
  return command;
}

const ROWS = {
  classifier: (more) => [
    ["1\u20139", more ? "give one of the nine likeliest labels" : "give this label, and go to the next text"],
    ["Enter", "accept the label that is suggested"],
  ],
  multi: () => [
    ["1\u20139", "give this label, or take it away"],
    ["Enter", "accept the labels that are given"],
  ],
  recognizer: () => [
    ["\u2190 \u2192", "select the word before, the word after"],
    ["Shift \u2190 \u2192", "select more words, or fewer"],
    ["1\u20139", "mark what is selected with this type, or change the type of a mark"],
    ["Delete", "delete the mark that is selected"],
    ["Enter", "accept the marks as they are"],
  ],
};
const MORE = [["/", "type to find a label; Enter takes the first that is found"]];
const ALWAYS = [
  ["u", "take the last answer back; again, and the one before"],
  ["s", "skip: leave the text to somebody else"],
  ["?", "not sure: say so, and leave the text to somebody else"],
  ["h", "guidelines"],
  ["k", "these keys"],
  ["Escape", "close, leave the field, select nothing"],
];

export function rowsOfKeys(view, more) {
  return [...ROWS[view](more), ...(more ? MORE : []), ...ALWAYS];
}

export function KeysDialog({ view, more, onClose }) {
  return html`<${Dialog} title="Keys" onClose=${onClose}>
    <table class="keys"><thead class="unseen"><tr><th scope="col">Key</th><th scope="col">What it does</th></tr></thead>
      <tbody>${rowsOfKeys(view, more).map(([key, what]) => html`<tr>
        <td>${key.split(" ").map((one) => html`<kbd>${one}</kbd> `)}</td><td>${what}</td></tr>`)}
      </tbody></table>
    <p class="soft">In a text field, and with Ctrl, Alt or the command key, keys do what they do everywhere.</p>
  <//>`;
}
