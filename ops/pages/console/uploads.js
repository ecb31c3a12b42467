/** Uploads: those that wait, what became of the others, and the bad lines of one. */
import { html } from "../vendor/htm-preact-3.1.1.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Badge, Nothing, Part, Table, When, Words } from "./pieces.js";
import { count, plural, size } from "./words.js";

const lines = (bad) => Object.values(bad).reduce((sum, number) => sum + number, 0);

export function Uploads({ what, of }) {
  const part = usePart(of("uploads"), { every: 30000 });
  return html`<h1 tabindex="-1">Uploads</h1>
    <${Part} part=${part}>${({ waiting, results, rejected }) => {
      const bad = new Set(rejected.map(({ id }) => id));
      // What older turns rejected is still there to be looked at.
      const shown = [...results, ...rejected.filter(({ id }) => !results.some((one) => one.id === id))];
      return html`
      <section><h2>Waiting</h2>${waiting.length === 0 ? html`<${Nothing}>No file waits below train/ or test/.<//>` : html`<${Table} label="Uploads that wait" rows=${waiting} columns=${[
        { title: "File", of: (one) => html`<code>${one.key}</code>` },
        { title: "State", of: (one) => html`<${Badge}>${one.state}<//>` },
        { title: "Size", number: true, of: (one) => size(one.size) },
        { title: "Uploaded", minor: true, of: (one) => html`<${When} at=${one.last_modified} ago />` },
        { title: "Why", wide: true, of: (one) => one.reason ?? "\u2013" },
      ]} />`}</section>
      <section><h2>Collected by turns</h2>${shown.length === 0 ? html`<${Nothing}>No turn has collected an upload yet.<//>` : html`<${Table} label="Uploads that turns collected" rows=${shown} columns=${[
        { title: "File", of: (one) => html`<code>${one.upload.key}</code>` },
        { title: "Outcome", of: (one) => html`<${Badge}>${one.outcome}<//>` },
        { title: "Documents", number: true, of: (one) => count(one.documents) },
        { title: "Bad lines", number: true, of: (one) => (bad.has(one.id) ? html`<a href=${addressOf(what.name, "uploads", one.id)}
          aria-label=${`${plural(lines(one.bad_lines), "bad line")} of ${one.upload.key}`}>${lines(one.bad_lines) || "file"}</a>` : count(lines(one.bad_lines))) },
        { title: "Turn", minor: true, of: (one) => (one.turn ? html`<a href=${addressOf(what.name, "turns", one.turn)}>${one.turn}</a>` : "\u2013") },
        { title: "Why", wide: true, of: (one) => one.reason },
      ]} />`}</section>`;
    }}<//>`;
}

export function Rejected({ what, one, of }) {
  const part = usePart(of(`rejected/${encodeURIComponent(one)}`));
  const key = part.data?.result.upload.key;
  return html`<p><a href=${addressOf(what.name, "uploads")}>All uploads</a></p>
    <h1 tabindex="-1">${key ?? one}</h1>
    <${Part} part=${part}>${({ result, report }) => html`
      <p><${Badge}>${result.outcome}<//> ${result.reason}</p>
      ${result.examples.length > 0 && html`<${Table} label="Bad lines" rows=${result.examples} columns=${[
        { title: "Where", of: (bad) => (bad.line ? `Line ${bad.line}` : "Whole file") },
        { title: "What is wrong", wide: true, of: (bad) => html`${bad.message}${bad.excerpt && html`<br /><code>${bad.excerpt}</code>`}` },
        { title: "What to do", wide: true, of: (bad) => html`<${Words}>${bad.fix}<//>` },
      ]} />`}
      <details><summary>The report as a text</summary><pre tabindex="0">${report}</pre></details>`}<//>`;
}
