/** Turns with their scores, and one turn's report as the pipeline writes it. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Badge, Nothing, Part, Rendered, Table, When } from "./pieces.js";
import { between, count, score } from "./words.js";

const documentsOf = (turn, split) => turn.datasets.filter((one) => one.split === split).reduce((sum, one) => sum + one.documents, 0);

export function Turns({ what, of }) {
  const part = usePart(of("turns"), { every: 30000 });
  const style = usePart("report.css");
  return html`<h1 tabindex="-1">Turns</h1>
    <${Part} part=${part}>${({ metric, turns, chart }) => html`
      ${chart && style.data && html`<div class="card chart"><${Rendered} content=${chart} css=${style.data.css} label=${`${metric} over the turns`} /></div>`}
      ${turns.length === 0 ? html`<${Nothing}>No turn has ended yet. One begins when documents are uploaded, or when it is asked for.<//>`
        : html`<${Table} label="Turns, newest first" rows=${turns} columns=${[
          { title: "Turn", of: (turn) => html`<a href=${addressOf(what.name, "turns", turn.turn)}>${turn.turn}</a>` },
          { title: "Outcome", of: (turn) => html`<${Badge}>${turn.outcome}<//>` },
          { title: "Decision", of: (turn) => turn.came_to },
          { title: `Candidate, ${metric}`, number: true, of: (turn) => score(turn.candidate?.metrics[metric]) },
          { title: `Active, ${metric}`, number: true, of: (turn) => score(turn.active?.metrics[metric]) },
          { title: "Trained on", number: true, minor: true, of: (turn) => count(documentsOf(turn, "train")) },
          { title: "Ended", minor: true, of: (turn) => html`<${When} at=${turn.ended_at} />` },
          { title: "Took", number: true, minor: true, of: (turn) => (turn.began_at ? between(turn.began_at, turn.ended_at) : "\u2013") },
          { title: "Why", wide: true, of: (turn) => turn.error ? `${turn.error}: ${turn.cause ?? ""}` : turn.reasons.join(" ") || "\u2013" },
        ]} />`}`}<//>`;
}

export function Turn({ what, one, of }) {
  const part = usePart(of(`turns/${encodeURIComponent(one)}`));
  const style = usePart("report.css");
  return html`<h1 tabindex="-1" class="unseen">${one}</h1>
    <p><a href=${addressOf(what.name, "turns")}>All turns</a></p>
    <${Part} part=${part}>${({ html: content }) => style.data && html`<div class="report"><${Rendered} content=${content}
      css=${style.data.css} kind="main" label=${`Report of ${one}`} /></div>`}<//>`;
}
