/** Versions of the model, and the card of one. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { Action } from "./actions.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Badge, Facts, Nothing, Part, Table, When, Words } from "./pieces.js";
import { count, last, percent, plural, score, shortVersion } from "./words.js";

const isActive = (model) => model.marks.includes("active");
const Marks = ({ model }) => model.marks.map((mark) => html`<${Badge} kind=${mark === "active" ? "accent" : null}>${mark}<//> `);

function Active({ model }) {
  if (!model.active.length) return "never";
  const { since, until } = model.active.at(-1);
  return html`<${When} at=${since} />${until && html` to <${When} at=${until} />`}`;
}

export function Models({ what, of }) {
  const part = usePart(of("models"));
  return html`<h1 tabindex="-1">Models</h1>
    <${Part} part=${part}>${({ metric, models }) => (models.length === 0
      ? html`<${Nothing}>There is no model yet: the first turn with enough documents trains one.<//>`
      : html`<${Table} label="Model versions, newest first" rows=${models} rowClass=${(model) => (isActive(model) ? "now" : "")} columns=${[
          { title: "Version", of: (model) => html`<a href=${addressOf(what.name, "models", model.name)}><code>${shortVersion(model.arn)}</code></a> <${Marks} model=${model} />` },
          { title: metric, number: true, of: (model) => score(model.score.metrics[metric]) },
          what.imports
            ? { title: "Shared", minor: true, of: (model) => html`<${When} at=${model.shared_at} />` }
            : { title: "Trained by", minor: true, of: (model) => (model.turn ? html`<a href=${addressOf(what.name, "turns", model.turn)}>${model.turn}</a>` : "elsewhere") },
          { title: "Status", of: (model) => html`<${Badge}>${model.status}<//>` },
          { title: "Active", minor: true, of: (model) => html`<${Active} model=${model} />` },
          { title: "Last promotion", wide: true, of: (model) => (model.promotion ? html`<${Badge}>${model.promotion.status}<//> <span class="soft">${model.promotion.reason}</span>` : "\u2013") },
        ]} />`)}<//>
    ${!what.imports && html`<${Sharing} of=${of} />`}`;
}

function Sharing({ of }) {
  const part = usePart(of("share"));
  return html`<${Part} part=${part} title="Shared with other accounts">${({ now, versions }) => (now === null
    ? html`<${Nothing}>No account is trusted (parameter TrustedAccounts).<//>`
    : html`<${Table} label="What accounts may import" rows=${versions} columns=${[
        { title: "Version", of: (one) => html`<code>${shortVersion(one.model_arn)}</code>` },
        { title: "Account", of: (one) => one.account },
        { title: "May import", of: (one) => html`<${Badge} kind=${one.may_import ? "good" : ""}>${one.may_import ? "yes" : "no"}<//>` },
        { title: "Why", wide: true, of: (one) => one.reason },
      ]} />`)}<//>`;
}

export function Model({ what, one, of }) {
  const part = usePart(of(`models/${encodeURIComponent(one)}`));
  const reload = part.reload;
  return html`<p><a href=${addressOf(what.name, "models")}>All models</a></p>
    <div class="title"><h1 tabindex="-1">${shortVersion(one)}</h1>
      ${part.data && html`<${Marks} model=${part.data.card.model} />`}
      ${part.data && !isActive(part.data.card.model) && part.data.card.model.status.startsWith("TRAINED") && html`<div class="buttons">
        <${Action} flywheel=${what.name} action="roll-back" target=${part.data.card.model.arn} label="Make it active" onDone=${reload} /></div>`}</div>
    <${Part} part=${part}>${({ metric, card }) => html`<${Card} what=${what} metric=${metric} card=${card} />`}<//>`;
}

function Card({ what, metric, card }) {
  const { model, decision } = card;
  const promotion = card.promotions.at(-1);
  const metrics = Object.entries(model.score.metrics).filter(([, value]) => value !== null);
  const chosen = decision?.holdout?.candidate;
  return html`<div class="tiles">${metrics.map(([name, value]) => html`<div class="card"><h2>${name}${name === metric ? " (decides)" : ""}</h2>
      <p class="figure">${score(value)}</p></div>`)}</div>
    <div class="columns">
      <section><h2>Model</h2><${Facts} facts=${[
        ["ARN", html`<code>${model.arn}</code>`],
        ["Status", html`<${Badge}>${model.status}<//>`],
        ["Imported from", model.source_model_arn && html`<code>${model.source_model_arn}</code>`],
        [what.imports ? "Imported" : "Trained", html`<${When} at=${model.trained_at} ago />`],
        ["Trained by", model.turn ? html`<a href=${addressOf(what.name, "turns", model.turn)}>${model.turn}</a>, iteration ${model.iteration_id}` : !what.imports && "elsewhere"],
        ["Scores from", model.score.source],
        ["Active", model.active.length ? model.active.map(({ since, until }) => html`<div><${When} at=${since} /> to ${until ? html`<${When} at=${until} />` : "now"}</div>`) : "never"],
        ["Shared with", card.shared_with.length > 0 && card.shared_with.join(", ")],
        ["Sharing", card.shared?.withdrawn ? `withdrawn: ${card.shared.withdrawn.reason}` : card.shared?.problem],
        ["Smoke test", card.smoke_test && `${card.smoke_test.right} of ${card.smoke_test.documents} documents right, at least ${percent(card.smoke_test.minimum)}`],
      ]} /></section>
      <section><h2>Decision</h2>${decision ? html`<${Facts} facts=${[
        ["Decision", html`<${Badge} kind=${decision.decision === "promote" ? "good" : ""}>${decision.decision}<//>`],
        ["Why", html`<ul class="plain">${decision.reasons.map((reason) => html`<li>${reason}</li>`)}</ul>`],
        ["Evidence", decision.evidence === "HOLDOUT" ? `both models' answers to ${plural(decision.holdout?.documents ?? 0, "document")} of the hold-out` : "the iteration's scores"],
        [`Active model, ${metric}`, decision.active && score(decision.active.metrics[metric])],
        ["Difference", decision.holdout?.interval && html`<span class="number">${decision.holdout.interval.difference.toFixed(4)}, with ${percent(decision.holdout.interval.confidence_level)} confidence
          from ${decision.holdout.interval.low.toFixed(4)} to ${decision.holdout.interval.high.toFixed(4)}</span>`],
        ["Decided", html`<${When} at=${decision.decided_at} />`],
        ["Promotion", promotion && html`<${Badge}>${promotion.status}<//> <${When} at=${promotion.at} />`],
        ["Approved by", promotion?.answered_by],
        ["Approver's reason", promotion?.answer_reason],
        ["", promotion && html`<${Words}>${promotion.reason}<//>`],
      ]} />` : html`<${Nothing}>No turn here decided about it.<//>`}</section>
    </div>
    <section><h2>Scores by label</h2>${chosen ? html`<${Table} label="Scores by label" rows=${chosen.labels} columns=${[
        { title: "Label", of: (one) => one.label },
        { title: "F1", number: true, of: (one) => score(one.f1) },
        { title: "Precision", number: true, of: (one) => score(one.precision) },
        { title: "Recall", number: true, of: (one) => score(one.recall) },
        { title: "Support", number: true, of: (one) => count(one.support) },
        ...(what.multi_label ? [{ title: "Threshold", number: true, of: (one) => (card.thresholds[one.label] ?? 0.5).toFixed(2) }] : []),
      ]} />` : html`<${Nothing}>Comprehend gives no scores by label. With the parameter Evidence HOLDOUT the pipeline measures them.<//>`}</section>
    ${card.training && html`<div class="columns">
      <${Data} title="Trained on" data=${card.training} what=${what} /><${Data} title="Evaluated on" data=${card.test} what=${what} /></div>`}`;
}

function Data({ title, data, what }) {
  const word = what.model_type === "ENTITY_RECOGNIZER" ? ["Entity type", "Entities"] : ["Label", "Documents"];
  return html`<section><div class="heading"><h2>${title}</h2><span class="soft number">${plural(data.documents, "document")} in datasets</span></div>
    <${Table} label=${`${title}, by label`} rows=${Object.entries(data.labels)} columns=${[
      { title: word[0], of: ([label]) => label },
      { title: word[1], number: true, of: ([, number]) => count(number) },
    ]} />
    <${Table} label=${`${title}, by upload`} rows=${data.uploads} columns=${[
      { title: "Upload", of: (upload) => html`<code>${upload.key}</code>` },
      { title: "Documents", number: true, of: (upload) => count(upload.documents) },
      ...(data.uploads.some((upload) => upload.reviewers.length) ? [{ title: "Reviewed by", of: (upload) => upload.reviewers.map(last).join(", ") || "\u2013" }] : []),
    ]} /></section>`;
}
