/** What other people said of an item: reviewers who disagree, somebody who uses the model. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { excerpt } from "./characters.js";
import { fromContract } from "./offsets.js";

/** The last part of an ARN, or of the name of an upload. */
export const nameOf = (by) => by.split(/[/:]/).at(-1) || by;

function Said({ text, said, onTake }) {
  const entities = said.entities && fromContract(text, said.entities);
  const none = (entities ?? said.labels).length === 0;
  return html`<li class="card said"><h3>${nameOf(said.by)}</h3>
    ${none && html`<p class="soft">${entities ? "Nothing to mark" : "No label"}</p>`}
    ${entities && !none && html`<ul>${entities.map(({ type, begin, end }) => html`<li>
      <bdi>${excerpt(text.slice(begin, end))}</bdi> <span class="badge">${type}</span></li>`)}</ul>`}
    ${!entities && !none && html`<p>${said.labels.map((label) => html`<strong>${label}</strong> `)}</p>`}
    ${onTake && html`<button type="button" onClick=${() => onTake(said)}>Start from this</button>`}
  </li>`;
}

export function Others({ item, onTake }) {
  const answers = item.answers ?? [];
  return html`
    ${answers.length > 0 && html`<section aria-labelledby="answers-heading"><h2 id="answers-heading">What the reviewers
      said</h2><ul class="others">${answers.map((said) => html`<${Said} text=${item.text} said=${said}
      onTake=${onTake} />`)}</ul></section>`}
    ${item.proposals.length > 0 && html`<section aria-labelledby="proposals-heading"><h2 id="proposals-heading">What was
      proposed</h2><ul class="others">${item.proposals.map((said) => html`<${Said} text=${item.text} said=${said}
      onTake=${onTake} />`)}</ul></section>`}
  `;
}

/** What is chosen at first: what the reviewer said before, else what somebody proposed, else what the model said. */
export function startOf(item, { former, proposal, suggestion }) {
  if (item.former?.verdict === "ANSWER") return former(item.former);
  if (item.answers?.length) return [];
  if (item.lane === "2-feedback" && item.proposals.length) return proposal(item.proposals[0]);
  return item.suggestion ? suggestion(item.suggestion) : [];
}
