/** What is deployed in the account and Region. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Badge, Nothing, Part, Words } from "./pieces.js";
import { plural } from "./words.js";

export const KINDS = { DOCUMENT_CLASSIFIER: "document classifier", ENTITY_RECOGNIZER: "entity recognizer" };

export function Flywheels({ session }) {
  const part = usePart("flywheels");
  return html`<h1 tabindex="-1">Flywheels</h1>
    ${part.error && session.chosen && html`<p>This one was named: <a href=${addressOf(session.chosen)}>${session.chosen}</a></p>`}
    <${Part} part=${part}>${(flywheels) => (flywheels.length
      ? html`<ul class="cards">${flywheels.map((one) => html`<li class="card"><${Flywheel} one=${one} /></li>`)}</ul>`
      : html`<${Nothing}>Nothing is deployed in account ${session.account} in ${session.region}. <code>make deploy</code>
          deploys a flywheel; <code>--region</code> looks elsewhere.<//>`)}<//>`;
}

function Flywheel({ one }) {
  const words = one.labels ? plural(one.labels.length, one.model_type === "ENTITY_RECOGNIZER" ? "entity type" : "label") : null;
  return html`<div class="heading"><h2><a href=${addressOf(one.name)}>${one.name}</a></h2>
      <${Badge} kind=${one.imports ? "" : "accent"}>${one.imports ? "imports models" : "trains"}<//></div>
    ${one.problem
      ? html`<div class="notice bad"><p><${Words}>${one.problem}<//></p></div>`
      : html`<p class="soft">${one.imports
          ? `Models of ${one.source} in account ${one.source_account}.`
          : [KINDS[one.model_type], one.multi_label && "several labels a document", words, one.language,
              one.generation && `generation ${one.generation}`].filter(Boolean).join(" \u00b7 ")}</p>`}`;
}
