/** The page: who, how far, whether all is saved; the item; what there is when there is no item. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/htm-preact-3.1.1.js";
import { excerpt } from "./characters.js";
import { percent } from "./choices.js";
import { useClassifier } from "./classifier.js";
import { GuidelinesDialog } from "./dialog.js";
import { KeysDialog, commandOf } from "./keys.js";
import { useRecognizer } from "./recognizer.js";

const REASONS = {
  "0-adjudicate": "Its reviewers disagree: you decide",
  "1-again": "It needs another answer",
  "2-feedback": "Somebody proposed an answer",
  "3-uncertain": "The model was not sure",
  "4-contradicted": "A model contradicts its label",
  "5-audit": "Taken at random, to check on the model",
  "6-passed": "Somebody else left it open",
};
const SOURCES = { API: "the API", ANALYSIS: "an analysis job", FEEDBACK: "feedback", TEST_DATA: "the test data",
  TRAINING_DATA: "the training data" };
const MOMENT = new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "short" });
const answersOf = (count) => (count === 1 ? "1 answer" : `${count.toLocaleString("en")} answers`);

function saidOf({ verdict, labels, entities }) {
  if (verdict === "SKIP") return "skipped";
  if (verdict === "NOT_SURE") return "not sure";
  if (entities) return entities.length === 1 ? "1 mark" : `${entities.length || "no"} marks`;
  return labels.join(", ");
}

/** The model's answer as a screen reader is told it with the text. */
function suggestedIn({ suggestion }) {
  const labels = suggestion?.labels?.filter(({ chosen }) => chosen).map(({ name }) => name) ?? [];
  const entities = suggestion?.entities?.length ?? 0;
  if (labels.length) return `The model said ${labels.join(", ")}.`;
  return entities ? `The model marked ${entities === 1 ? "1 entity" : `${entities} entities`}.` : "";
}

function progressOf(queue) {
  const of = queue.waiting.more ? `more than ${queue.total.toLocaleString("en")}` : queue.total.toLocaleString("en");
  return `${queue.answered.toLocaleString("en")} of ${of}`;
}

function Saved({ queue }) {
  const { unsaved, trouble } = queue;
  if (trouble?.kind === "offline") return html`<span class="state bad">Offline</span>`;
  if (unsaved) return html`<span class="state">Saving ${unsaved}</span>`;
  return html`<span class="state good">All saved</span>`;
}

function Header({ queue, session, onGuidelines, onKeys }) {
  const label = progressOf(queue);
  return html`<header class="top">
    <h1>${session.flywheel}</h1>
    <div class="progress"><span class="number" id="progress">${label}</span>
      <progress value=${queue.answered} max=${Math.max(1, queue.total)} aria-labelledby="progress"></progress></div>
    <${Saved} queue=${queue} />
    <span class="who"><span class="unseen">You are </span>${session.reviewer.name}</span>
    <nav aria-label="Help">
      ${session.guidelines && html`<button type="button" class="quiet" aria-keyshortcuts="h" onClick=${onGuidelines}>
        Guidelines <kbd aria-hidden="true">h</kbd></button>`}
      <button type="button" class="quiet" aria-keyshortcuts="k" onClick=${onKeys}>
        Keys <kbd aria-hidden="true">k</kbd></button>
    </nav>
  </header>`;
}

function Trouble({ queue }) {
  const { trouble, unsaved } = queue;
  const wait = unsaved ? `${answersOf(unsaved)} wait${unsaved === 1 ? "s" : ""} on this computer and ${
    unsaved === 1 ? "is" : "are"} sent as soon as it answers. ` : "";
  const sentence = {
    offline: `The host does not answer. ${wait}You can go on with the texts that are loaded; do not close this page.`,
    busy: `${trouble?.sentence} ${wait}`,
    refused: `${trouble?.sentence} ${wait}`,
  }[trouble?.kind];
  return html`<div class="banners">
    <div role="status">${trouble && html`<div class="notice ${trouble.kind === "refused" ? "bad" : "mild"}">
      <p>${sentence}</p>
      <button type="button" onClick=${() => queue.retry()}>Try now</button></div>`}</div>
    <div role="alert">${queue.notices.map((notice) => html`<div class="notice bad" key=${notice.key}>
      <p>${notice.sentence}</p>
      <button type="button" onClick=${() => queue.close(notice)}>Close</button></div>`)}</div>
  </div>`;
}

function Last({ queue, onUndo }) {
  const last = queue.history.at(-1);
  return html`<div class="last">
    <button type="button" aria-keyshortcuts="u" disabled=${!last} onClick=${onUndo}>
      Undo <kbd aria-hidden="true">u</kbd></button>
    <p class="soft">${queue.fetching && "Getting the text again\u2026"}
      ${!queue.fetching && !last && "No answer to take back yet"}
      ${!queue.fetching && last && html`<span class="one-line">Last: <strong>${saidOf(last.body)}</strong></span>
        ${last.item && html`<bdi class="one-line">${excerpt(last.item.text, 80)}</bdi>`}`}</p>
  </div>`;
}

function Item({ item, queue, session, handler, said, say, onAnswer, onUndo, leave, useView }) {
  const heading = useRef(null);
  const { text, panel, commands, summary, ready } = useView({ item, session, onAnswer, say, leave });
  handler.current = commands;
  useLayoutEffect(() => {
    window.scrollTo(0, 0);
    heading.current.focus({ preventScroll: true });
  }, []);
  const pass = (verdict) => onAnswer({ verdict });
  return html`<main class="item">
    <article class="reading">
      <h2 tabindex="-1" ref=${heading} id="reason">${REASONS[item.lane] ?? "It waits for review"}</h2>
      <p class="soft about">from ${SOURCES[item.source] ?? item.source}, ${MOMENT.format(new Date(item.at))}${
        item.confidence !== null && item.confidence !== undefined ? `, confidence ${percent(item.confidence)}` : ""}</p>
      ${item.problem && html`<p class="notice bad">${item.problem}</p>`}
      ${item.note && html`<p class="notice mild">${item.note}</p>`}
      ${text}
    </article>
    <aside class="deciding card" aria-label="Your answer">
      <div class="choosing">${panel}</div>
      ${summary && html`<p class="given soft">${summary}</p>`}
      ${ready && html`<button type="button" class="primary accept" aria-keyshortcuts="Enter" onClick=${commands.accept}>
        ${ready} <kbd aria-hidden="true">Enter</kbd></button>`}
      <p class="said" role="status">${said}</p>
      <div class="passing">
        <button type="button" aria-keyshortcuts="s" onClick=${() => pass("SKIP")}>
          Skip <kbd aria-hidden="true">s</kbd></button>
        <button type="button" aria-keyshortcuts="?" onClick=${() => pass("NOT_SURE")}>
          Not sure <kbd aria-hidden="true">?</kbd></button>
      </div>
      <${Last} queue=${queue} onUndo=${onUndo} />
    </aside>
  </main>`;
}

function NoItem({ queue, onUndo }) {
  const heading = useRef(null);
  const empty = queue.emptySince !== null;
  useLayoutEffect(() => heading.current.focus(), [empty]);
  return html`<main class="calm">
    <div class="card">
      <h2 tabindex="-1" ref=${heading}>${empty ? "Nothing waits for you" : "Getting texts\u2026"}</h2>
      ${empty && html`<p>You gave ${answersOf(queue.answered)} today. This page looks again by itself, every 30 seconds;
        last at ${new Date(queue.emptySince).toLocaleTimeString("en-GB")}.</p>
        <p><button type="button" class="primary" onClick=${() => queue.ask()}>Look now</button></p>`}
      <${Last} queue=${queue} onUndo=${onUndo} />
    </div>
  </main>`;
}

export function App({ queue, session, host }) {
  const [, redraw] = useState(0);
  const [dialog, setDialog] = useState(null);
  const [said, setSaid] = useState("");
  const handler = useRef({});
  const item = queue.current;
  if (!item) handler.current = {};
  const visit = item?.visit ?? null;
  queue.onChange(() => redraw((count) => count + 1));

  const leave = () => document.querySelector("#reason")?.focus();
  const answer = (body) => {
    setSaid("");
    queue.answer(body);
  };
  const undo = () => {
    const last = queue.history.at(-1);
    if (last) queue.undo();
    setSaid(last ? `Taken back: ${saidOf(last.body)}` : "There is no answer to take back.");
  };
  const guidelines = () =>
    session.guidelines ? setDialog("guidelines") : setSaid("There are no guidelines for this flywheel.");
  const page = {
    undo,
    guidelines,
    keys: () => setDialog("keys"),
    skip: () => item && answer({ verdict: "SKIP" }),
    "not-sure": () => item && answer({ verdict: "NOT_SURE" }),
    filter: () => document.querySelector("#filter")?.focus(),
    leave,
  };

  const press = useRef(null);
  press.current = (event) => {
    const command = commandOf(event);
    if (!command || dialog) return;
    const action = handler.current[command.name] ?? page[command.name];
    if (command.name === "leave") leave();
    action?.(command);
    if (action || command.name === "nothing") event.preventDefault();
  };
  // Before the browser paints: no key that somebody presses at what they see may be lost.
  useLayoutEffect(() => {
    const pressed = (event) => press.current(event);
    document.addEventListener("keydown", pressed);
    return () => document.removeEventListener("keydown", pressed);
  }, []);
  useEffect(() => {
    document.title = `${progressOf(queue)} \u00b7 Review of ${session.flywheel}`;
  });

  const recognizer = session.model_type === "ENTITY_RECOGNIZER";
  const view = recognizer ? "recognizer" : session.multi_label ? "multi" : "classifier";
  const announced = item ? `Text ${queue.answered + 1}: ${excerpt(item.text, 200)} ${suggestedIn(item)}` : "";
  return html`
    <${Header} queue=${queue} session=${session} onGuidelines=${guidelines} onKeys=${page.keys} />
    <${Trouble} queue=${queue} />
    ${item ? html`<${Item} key=${visit} item=${item} queue=${queue} session=${session} handler=${handler} said=${said}
      say=${setSaid} onAnswer=${answer} onUndo=${undo} leave=${leave}
      useView=${recognizer ? useRecognizer : useClassifier} />`
    : html`<${NoItem} queue=${queue} onUndo=${undo} />`}
    <p class="unseen" role="status" aria-live="polite">${announced}</p>
    ${dialog === "guidelines" && html`<${GuidelinesDialog} load=${host.guidelines} onClose=${() => setDialog(null)} />`}
    ${dialog === "keys" && html`<${KeysDialog} view=${view} more=${session.labels.length > 9}
      onClose=${() => setDialog(null)} />`}
  `;
}
