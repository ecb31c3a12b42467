/** The endpoint, and what everything costs. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { usePart } from "./host.js";
import { Badge, Facts, Nothing, Part, Table, When, Words } from "./pieces.js";
import { dollars, plural, shortVersion } from "./words.js";

export function Endpoint({ of }) {
  const part = usePart(of("endpoint"), { every: 30000 });
  const cost = usePart(of("cost"));
  return html`<h1 tabindex="-1">Endpoint and costs</h1>
    <${Part} part=${part}>${(found) => html`<${There} found=${found} />`}<//>
    <${Part} part=${cost} title="What it costs">${(costs) => html`<${Costs} costs=${costs} />`}<//>`;
}

function There({ found }) {
  const { wanted, endpoint, state } = found;
  return html`<div class="tiles">
      <div class="card"><h2>State</h2><p class="figure">${endpoint?.status ?? "none"}</p><p class="soft">${state?.reason ?? (wanted ? "" : "No Serving stack is deployed.")}</p></div>
      <div class="card"><h2>Cost until now, about</h2><p class="figure">${dollars(found.costs_so_far ?? 0)}</p>
        <p class="soft">${endpoint ? html`since <${When} at=${endpoint.created_at} />, with the units that it has` : "nothing is billed by the hour"}</p></div>
      <div class="card"><h2>Cost an hour, now</h2><p class="figure">${dollars(found.costs_now.an_hour)}</p><p class="soft">${dollars(found.costs_now.a_month)} a month</p></div>
      <div class="card"><h2>Cost a month, at most</h2><p class="figure">${dollars(Math.max(found.costs_at_most.a_month, found.costs_wanted.a_month))}</p>
        <p class="soft">list prices of ${found.prices_of}</p></div>
    </div>
    ${!endpoint && html`<${Nothing}>There is no endpoint${wanted?.inference_units ? ": it is created when there is an active model, within its hours" : ". The parameter InferenceUnits of the Serving stack asks for one"}.<//>`}
    ${endpoint && html`<${Facts} facts=${[
      ["Endpoint", html`<code>${endpoint.arn}</code>`],
      ["Answers with", endpoint.model_arn && html`<code>${shortVersion(endpoint.model_arn)}</code> ${endpoint.model_arn === found.active_model_arn
        ? html`<${Badge} kind="good">the active model<//>` : html`<${Badge} kind="mild">not the active model<//>`}`],
      ["Moves to", endpoint.desired_model_arn && endpoint.desired_model_arn !== endpoint.model_arn && html`<code>${shortVersion(endpoint.desired_model_arn)}</code>`],
      ["Inference units", `${endpoint.current_units ?? 0} of ${plural(endpoint.desired_units ?? 0, "wanted unit")}`],
      ["Auto scaling", found.scaling && `${found.scaling.least} to ${found.scaling.most} units`],
      ["Hours", wanted?.hours_start && `from ${wanted.hours_start} to ${wanted.hours_end}${found.in_hours ? "" : ", not now"}`],
      ["Smoke test", found.smoke_test && `${found.smoke_test.right} of ${found.smoke_test.documents} documents right`],
      ["Comprehend says", endpoint.message],
      ["Changed", html`<${When} at=${endpoint.changed_at} ago />`],
    ]} />`}`;
}

const range = ({ low, high }) => (low === high ? dollars(low) : `${dollars(low)} to ${dollars(high)}`);

function Costs({ costs }) {
  return html`<div class="tiles"><div class="card"><h2>A month</h2><p class="figure">${range(costs.a_month)}</p><p class="soft">turns not included</p></div>
      <div class="card"><h2>A turn that trains</h2><p class="figure">${range(costs.a_turn)}</p></div></div>
    <${Table} label="What it costs" rows=${costs.lines} columns=${[
      { title: "What", of: (line) => line.what },
      { title: "Per", minor: true, of: (line) => line.per },
      { title: "Dollars", number: true, of: (line) => range(line.dollars) },
      { title: "Rests on", wide: true, of: (line) => html`<${Words}>${line.basis}<//>` },
    ]} />
    ${costs.left_out.length > 0 && html`<details><summary>What is left out</summary><ul>${costs.left_out.map((one) => html`<li><${Words}>${one}<//></li>`)}</ul></details>`}`;
}
