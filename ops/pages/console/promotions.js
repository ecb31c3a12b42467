/** Promotions: what waits for a person, what runs, how the others ended. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { Action } from "./actions.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Badge, Nothing, Part, Table, When, Words } from "./pieces.js";
import { last, shortVersion } from "./words.js";

const MODES = {
  AUTOMATIC: "A better candidate is promoted at once.",
  APPROVAL: "A better candidate waits until a person approves it.",
  NEVER: "A better candidate is left to people: rolling back to it promotes it.",
};

export function Promotions({ what, of }) {
  const part = usePart(of("promotions"), { every: 10000 });
  return html`<div class="title"><h1 tabindex="-1">Promotions</h1><div class="buttons">
      <${Action} flywheel=${what.name} action="roll-back" label="Roll back to the model before" onDone=${part.reload} /></div></div>
    <${Part} part=${part}>${({ mode, now, past }) => html`
      <p><strong>${mode}: </strong>${MODES[mode]}</p>
      ${now.open.map((one) => html`<${Waiting} key=${one.request_id} flywheel=${what.name} promotion=${one} now=${now} onDone=${part.reload} />`)}
      ${past.length === 0 ? html`<${Nothing}>No promotion was asked for yet.<//>` : html`<${Table} label="Promotions" rows=${past} columns=${[
        { title: "Model", of: (one) => html`<a href=${addressOf(what.name, "models", last(one.model_arn))}><code>${shortVersion(one.model_arn)}</code></a>` },
        { title: "Status", of: (one) => html`<${Badge}>${one.status}<//>` },
        { title: "At", of: (one) => html`<${When} at=${one.at} />` },
        { title: "Asked by", minor: true, of: (one) => (one.turn ? html`<a href=${addressOf(what.name, "turns", one.turn)}>${one.turn}</a>` : last(one.by)) },
        { title: "Answered by", minor: true, of: (one) => (one.answered_by ? last(one.answered_by) : "\u2013") },
        { title: "Why", wide: true, of: (one) => html`<${Words}>${one.reason}<//>${one.serving && html` <span class="soft">${one.serving}</span>`}${one.answer_reason && html` <span class="soft">${one.answer_reason}</span>`}` },
      ]} />`}`}<//>`;
}

/** A request without an end, with what a person can do about it. */
export function Waiting({ flywheel, promotion, now, onDone }) {
  const waits = promotion.status === "waiting for approval";
  const who = promotion.turn ?? last(promotion.by);
  const target = promotion.promotion ?? promotion.turn;
  return html`<div class="notice ${promotion.status === "failed" ? "bad" : "mild"}"><div>
      <p><strong>${who}</strong> wants <a href=${addressOf(flywheel, "models", last(promotion.model_arn))}><code>${shortVersion(promotion.model_arn)}</code></a>
        ${" "}to become the active model. <${Badge}>${promotion.status}<//></p>
      <p class="soft"><${Words}>${promotion.reason}<//>
        ${waits && !now.waits_until && " It has its answer, or its time is up."}</p>
      ${waits && now.waits_until && html`<div class="buttons">
        <${Action} flywheel=${flywheel} action="approve" target=${target} primary onDone=${onDone} />
        <${Action} flywheel=${flywheel} action="decline" target=${target} danger onDone=${onDone} /></div>`}</div></div>`;
}
