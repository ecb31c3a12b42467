/** One flywheel: what runs, what waits and why, what is next. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { Action } from "./actions.js";
import { addressOf } from "./address.js";
import { KINDS } from "./flywheels.js";
import { usePart } from "./host.js";
import { Machine } from "./machine.js";
import { Badge, Facts, Meter, Nothing, Part, Table, When, Words } from "./pieces.js";
import { Waiting } from "./promotions.js";
import { count, last, plural, score, sentence, shortVersion, size } from "./words.js";

const RUNNING = 5000;
const RESTING = 60000;

export function Overview({ what, of }) {
  const running = usePart(of("running"), { every: RUNNING });
  const status = usePart(of("status"), { every: RESTING });
  const links = usePart(of("links"));
  const reload = () => {
    running.reload();
    status.reload();
  };
  const paused = status.data?.paused;
  return html`<div class="title"><h1 tabindex="-1">${what.name}</h1>
      <span class="soft">${what.imports ? `imports the models of ${what.source} in account ${what.source_account}`
        : KINDS[what.model_type]}</span>
      ${!what.imports && html`<div class="buttons">
        <${Action} flywheel=${what.name} action="turn" onDone=${reload} />
        <${Action} flywheel=${what.name} action=${paused ? "resume" : "pause"} onDone=${reload} /></div>`}</div>
    ${status.data && html`<${Tiles} what=${what} status=${status.data} />`}
    <${Part} part=${running} title="Now">${(now) => html`<${Now} what=${what} now=${now} status=${status.data} onDone=${reload} />`}<//>
    <${Part} part=${status} title=${what.imports ? "Source" : "What waits"}>${(found) =>
      what.imports ? html`<${Source} found=${found} />` : html`<${Waits} found=${found} what=${what} />`}<//>
    ${links.data?.length > 0 && html`<section><h2>In AWS's console</h2><p class="buttons">${links.data.map((link) =>
      html`<a class="button" href=${link.url} target="_blank" rel="noopener noreferrer">${sentence(link.part)}</a>`)}</p></section>`}`;
}

function Tile({ title, figure, children, href }) {
  return html`<div class="card"><h2>${href ? html`<a href=${href}>${title}</a>` : title}</h2>
    <p class="figure">${figure}</p>${children}</div>`;
}

function Tiles({ what, status }) {
  const active = status.active;
  const metric = status.selection_metric ?? "F1Score";
  const metrics = active?.metrics ?? active?.score?.metrics;
  const waiting = status.promotions.open.filter((one) => one.status === "waiting for approval").length;
  return html`<div class="tiles">
    <${Tile} title=${`Active model, ${metric}`} href=${active && addressOf(what.name, "models", last(active.arn))}
      figure=${active ? score(metrics?.[metric]) : "none yet"}>
      ${active && html`<p class="soft"><code>${shortVersion(active.arn)}</code></p>`}<//>
    <${Tile} title="Endpoint" href=${addressOf(what.name, "endpoint")} figure=${status.serving?.status ?? "none"}>
      ${status.serving && html`<p class="soft">${status.serving.reason}</p>`}<//>
    <${Tile} title="Waits for a person" href=${addressOf(what.name, "promotions")} figure=${count(waiting)}>
      <p class="soft">Promotions: ${status.promotion_mode}</p><//>
    ${!what.imports && html`<${Tile} title="Last turn" href=${status.last_turn && addressOf(what.name, "turns", status.last_turn.turn)}
      figure=${status.last_turn ? Number(status.last_turn.turn.split("-")[1]) : "none yet"}>
      ${status.last_turn && html`<p><${Badge}>${status.last_turn.outcome}<//> <span class="soft">${status.last_turn.decision}</span></p>`}<//>`}
  </div>`;
}

function Now({ what, now, status, onDone }) {
  const { turn, promotions } = now;
  const starting = turn?.state === "STARTING";
  return html`
    ${status?.paused && html`<div class="notice mild"><p><strong>Paused</strong> by ${last(status.paused.by)}
      ${" "}<${When} at=${status.paused.at} ago />${status.paused.reason && `: ${status.paused.reason}`}. No turn starts.</p></div>`}
    ${status?.changed_outside && html`<div class="notice mild"><p>${status.changed_outside}</p></div>`}
    ${status && status.flywheel_status && status.flywheel_status !== "ACTIVE" && html`<div class="notice mild"><p>The flywheel is
      ${" "}${status.flywheel_status}. ${status.flywheel_message}</p></div>`}
    ${promotions.open.map((one) => html`<${Waiting} key=${one.request_id} flywheel=${what.name} promotion=${one} now=${promotions} onDone=${onDone} />`)}
    ${promotions.failed && html`<div class="notice bad"><p><strong>${promotions.failed.promotion} ${promotions.failed.status}. </strong>
      <${Words}>${promotions.failed.reason}<//></p></div>`}
    ${now.turn_picture && html`<${Machine} picture=${now.turn_picture} title="Turn" />`}
    ${starting && html`<p>${turn.turn} is about to begin.</p>`}
    ${now.promotion_picture && html`<${Machine} picture=${now.promotion_picture} title="Promotion" />`}
    ${!turn && !promotions.running && !promotions.open.length && html`<${Nothing}>Nothing runs.<//>`}
    ${status?.next_turn && html`<p><strong>Next turn: </strong>${status.next_turn.due ? "due: " : ""}<${Words}>${status.next_turn.reason}<//>
      ${status.next_turn.looked_at_again && html` (looked at again <${When} at=${status.next_turn.looked_at_again} />)`}
      ${status.request && html`. ${last(status.request.by)} asked for one <${When} at=${status.request.at} ago />`}</p>`}`;
}

function Waits({ found, what }) {
  const word = what.model_type === "ENTITY_RECOGNIZER" ? "Entity type" : "Label";
  return html`<div class="columns">${found.prepared.map((one) => html`<div>
      <div class="heading"><h3>${one.split === "test" ? "Test documents" : "Training documents"}</h3>
        <span class="soft number">${plural(one.documents, "document")}</span></div>
      <p class="soft">${one.reason}</p>
      ${one.documents > 0 && html`<${Table} label=${`${one.split} documents that wait, by ${word.toLowerCase()}`} rows=${one.labels} columns=${[
        { title: word, of: ({ label }) => label },
        { title: "Documents", number: true, of: ({ documents }) => count(documents) },
        { title: "Needed", number: true, minor: true, of: ({ needed }) => count(needed) },
        { title: "Missing", number: true, of: ({ missing }) => (missing ? html`<strong class="lost">${count(missing)}</strong>` : "0") },
      ]} />`}</div>`)}</div>
    <${Facts} facts=${[
      ["Uploads", found.uploads.length ? html`<a href=${addressOf(what.name, "uploads")}>${plural(found.uploads.length, "file")}</a>,
        ${" "}${size(found.uploads.reduce((sum, one) => sum + one.size, 0))}` : "none to collect"],
      ...found.quotas.map((quota) => [`${sentence(quota.split)} datasets`, html`<${Meter} value=${quota.used} most=${quota.limit}
        label=${`${quota.split} datasets used`} warn=${quota.used >= quota.limit * 0.8} /> <span class="number">${quota.used} of ${quota.limit} used</span>
        ${quota.failed > 0 && html` <${Badge} kind="bad">${quota.failed} failed<//>`}
        ${quota.used >= quota.limit * 0.8 && html` <${Badge} kind="mild">running out<//>`}`]),
      ["Excluded", found.excluded.uploads.length + found.excluded.total_documents > 0 &&
        `${plural(found.excluded.uploads.length, "upload")}, ${plural(found.excluded.total_documents, "document")}`],
      ["Shared", found.sharing && `${plural(found.sharing.versions, "version")} with ${plural(found.sharing.accounts.length, "account")}`],
      ["Sharing problems", found.sharing?.problems.join(" ")],
      ["Desired model", found.desired && html`<code>${shortVersion(found.desired.arn)}</code> is not the active one`],
      ["Flywheel", html`<code>${found.flywheel_arn}</code>`],
    ]} />`;
}

function Source({ found }) {
  return html`<${Facts} facts=${[
    ["Flywheel", `${found.source_flywheel} in account ${found.source_account}`],
    ["Newest shared version", found.newest && html`<code>${shortVersion(found.newest.source_model_arn ?? found.newest.arn)}</code>
      ${" "}<${When} at=${found.newest.shared_at} ago />`],
    ["Smoke test", found.smoke_test && html`${found.smoke_test.right} of ${found.smoke_test.documents} documents right`],
    ["Withdrawn by the source", found.withdrawn.length > 0 && found.withdrawn.map((one) => shortVersion(one.arn)).join(", ")],
    ["Desired model", found.desired && html`<code>${shortVersion(found.desired.arn)}</code> is not the active one`],
  ]} />`;
}
