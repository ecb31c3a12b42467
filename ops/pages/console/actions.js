/** Changes, each asked twice: the host says what will happen, and does it when that is confirmed. */
import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/htm-preact-3.1.1.js";
import { ask } from "./host.js";
import { Trouble, Words } from "./pieces.js";

const TITLES = {
  approve: ["Approve", "Approve this model"],
  decline: ["Decline", "Decline this model"],
  "roll-back": ["Roll back", "Make this model active"],
  pause: ["Pause", "Pause the pipeline"],
  resume: ["Resume", "Resume the pipeline"],
  turn: ["Start a turn now", "Start a turn now"],
};
const REASONED = new Set(["approve", "decline", "roll-back", "pause"]);

/** A button that opens the dialog in which `action` is asked for. `onDone` is called once it was done. */
export function Action({ flywheel, action, target, label, danger, primary, onDone }) {
  const [open, setOpen] = useState(false);
  const button = useRef(null);
  const close = (done) => {
    setOpen(false);
    button.current?.focus();
    if (done) onDone?.();
  };
  return html`<button type="button" ref=${button} class=${danger ? "danger" : primary ? "primary" : ""}
      onClick=${() => setOpen(true)}>${label ?? TITLES[action][0]}</button>
    ${open && html`<${Asking} flywheel=${flywheel} action=${action} target=${target} onClose=${close} />`}`;
}

function Asking({ flywheel, action, target, onClose }) {
  const dialog = useRef(null);
  const done = useRef(false);
  const [reason, setReason] = useState("");
  const [state, setState] = useState({ step: "why" });
  useLayoutEffect(() => {
    dialog.current.showModal();
    if (!REASONED.has(action)) prepare();
  }, []);

  async function attempt(going, step) {
    setState({ step: going });
    try {
      setState(await step());
    } catch (error) {
      setState({ step: "refused", error });
    }
  }
  const prepare = () =>
    attempt("asking", async () => ({
      step: "confirm",
      asked: await ask(`flywheels/${encodeURIComponent(flywheel)}/actions`, {
        method: "POST",
        body: { action, reason: reason.trim(), ...(target && { target }) },
      }),
    }));
  const confirm = () =>
    attempt("doing", async () => {
      const { said } = await ask(`confirmations/${state.asked.confirm}`, { method: "POST", body: {} });
      done.current = true;
      return { step: "done", said };
    });

  const [, title] = TITLES[action];
  return html`<dialog ref=${dialog} aria-labelledby="asking-title" onClose=${() => onClose(done.current)}>
    <header><h2 id="asking-title">${title}</h2>
      <button type="button" class="quiet" onClick=${() => dialog.current.close()}>Close</button></header>
    <div class="asking" aria-live="polite">
      ${state.step === "why" && html`<label for="reason">Why${action === "decline" ? "" : " (may be left out)"}; the record keeps it</label>
        <textarea id="reason" rows="3" autofocus maxlength="1000" value=${reason} onInput=${(event) => setReason(event.target.value)} />
        <div class="buttons"><button type="button" class="primary" onClick=${prepare}
          disabled=${action === "decline" && !reason.trim()}>Go on</button></div>`}
      ${(state.step === "asking" || state.step === "doing") && html`<p>${state.step === "asking" ? "Asking" : "Doing it"}\u2026</p>`}
      ${state.step === "confirm" && html`<${Confirm} asked=${state.asked} title=${title} onConfirm=${confirm}
        onCancel=${() => dialog.current.close()} />`}
      ${state.step === "done" && html`<div class="notice good"><p><${Words}>${state.said}<//></p></div>
        <div class="buttons"><button type="button" class="primary" onClick=${() => dialog.current.close()}>Close</button></div>`}
      ${state.step === "refused" && html`<${Trouble} error=${state.error} />
        <div class="buttons"><button type="button" onClick=${() => dialog.current.close()}>Close</button></div>`}
    </div>
  </dialog>`;
}

function Confirm({ asked, title, onConfirm, onCancel }) {
  const heading = useRef(null);
  useEffect(() => heading.current.focus(), []);
  return html`<h3 tabindex="-1" ref=${heading}>This will happen</h3>
    <p class="will-happen">${asked.sentence}</p>
    <div class="buttons"><button type="button" class="primary" onClick=${onConfirm}>${title}</button>
      <button type="button" onClick=${onCancel}>Leave it as it is</button></div>`;
}
