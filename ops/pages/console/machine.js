/** The live picture of a state machine's execution. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { Badge, Words } from "./pieces.js";
import { between, moment } from "./words.js";

const SIGNS = { done: "\u2713", running: "\u25b6", failed: "\u2715", stopped: "\u25a0", "to come": "", "not needed": "\u2013" };

function took(step) {
  if (step.state === "running") return `since ${moment(step.entered_at).slice(11)}, ${between(step.entered_at)}`;
  return step.entered_at && step.left_at ? between(step.entered_at, step.left_at) : "";
}

export function Machine({ picture, title }) {
  return html`<div class="machine card">
    <div class="heading"><h3>${title} ${picture.name}</h3><${Badge} kind=${picture.status === "RUNNING" ? "accent" : null}>
      ${picture.status}<//><span class="soft number">began ${moment(picture.began_at)}</span></div>
    <ol>${picture.steps.map((step) => html`<li class=${step.state.replace(" ", "-")}
      aria-current=${step.state === "running" ? "step" : null}>
      <span class="sign" aria-hidden="true">${SIGNS[step.state]}</span>
      <span class="what"><strong>${step.words}</strong><code>${step.name}</code></span>
      <span class="state">${step.state}</span><span class="soft number">${took(step)}</span></li>`)}</ol>
    ${picture.cause && html`<div class="notice bad"><p><strong>${picture.error} </strong><${Words}>${picture.cause}<//></p></div>`}
  </div>`;
}
