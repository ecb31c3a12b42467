/** What the pages are made of. */
import { html, useLayoutEffect, useRef } from "../vendor/htm-preact-3.1.1.js";
import { between, moment, withCommands } from "./words.js";

export const Words = ({ children }) =>
  withCommands(children).map((part, place) => (place % 2 ? html`<code>${part}</code>` : part));

/** A moment, and how long ago it was. */
export const When = ({ at, ago = false }) =>
  at
    ? html`<time datetime=${at} class="number nowrap">${moment(at)}${ago && html`<span class="soft"> (${between(at)} ago)</span>`}</time>`
    : "\u2013";

const GOOD = new Set(["SUCCEEDED", "promoted", "already active", "accepted", "TRAINED", "IN_SERVICE", "done", "active"]);
const BAD = new Set(["FAILED", "TIMED_OUT", "ABORTED", "failed", "rejected", "stopped", "smoke test failed", "unreadable",
  "IN_ERROR", "DELETED"]);
const MILD = new Set(["waiting for approval", "partly accepted", "declined", "not answered in time", "left to people",
  "TRAINED_WITH_WARNING", "not prepared", "in an incomplete folder", "refused", "withdrawn by the source"]);
const SIGNS = { good: "\u2713", bad: "\u2715", mild: "!", accent: "\u25cf" };

/** A state: its word and a sign, not its colour alone, say what it is. */
export function Badge({ children, kind }) {
  const word = String(children);
  const found = kind ?? (GOOD.has(word) ? "good" : BAD.has(word) ? "bad" : MILD.has(word) ? "mild" : "");
  return html`<span class="badge ${found}">${SIGNS[found] && html`<span aria-hidden="true">${SIGNS[found]} </span>`}${word}</span>`;
}

/** Says what went wrong with one part; the rest of the page is as it is. */
export function Trouble({ error, onRetry }) {
  const title = error.code === "NOT_ALLOWED" ? "Not allowed." : error.code === "UNAVAILABLE" ? "Busy." : "";
  const kind = error.code === "NOT_ALLOWED" || error.code === "REFUSED" ? "mild" : "bad";
  return html`<div class="notice ${kind}" role="status"><p>${title && html`<strong>${title} </strong>`}
    <${Words}>${error.message}<//></p>
    ${onRetry && html`<button type="button" onClick=${onRetry}>Try again</button>`}</div>`;
}

/** A part of the page that is loaded by itself: `children` is a function of its data. */
export function Part({ part, title, level = 2, aside, children }) {
  const content = part.data !== null && children(part.data);
  return html`<section aria-busy=${part.loading && part.data === null}>
    ${title && html`<div class="heading">${level === 2 ? html`<h2>${title}</h2>` : html`<h3>${title}</h3>`}${aside}</div>`}
    ${part.error && html`<${Trouble} error=${part.error} onRetry=${part.reload} />`}
    ${part.data === null && part.loading && html`<p class="soft loading" role="status">Loading\u2026</p>`}
    ${content}
  </section>`;
}

export const Nothing = ({ children }) => html`<p class="nothing">${children}</p>`;

/**
 * A table in a box that scrolls by itself. `columns`: {title, number, minor, wide, of}; `of` gives a cell's content for a
 * row. Where it is narrow `minor` ones are left out, and of a table with many columns each row becomes a list; the roles
 * keep it a table for a screen reader.
 */
export function Table({ label, columns, rows, rowClass = () => "" }) {
  const kind = ({ number, minor, wide }) => [number && "number", minor && "minor", wide && "wide"].filter(Boolean).join(" ");
  return html`<div class="scroll" role="region" aria-label=${label} tabindex="0">
    <table role="table" class=${columns.length > 3 ? "stacks" : ""}>
    <thead role="rowgroup"><tr role="row">${columns.map((column) =>
      html`<th role="columnheader" scope="col" class=${kind(column)}>${column.title}</th>`)}</tr></thead>
    <tbody role="rowgroup">${rows.map((row) => html`<tr role="row" class=${rowClass(row)}>${columns.map((column, place) =>
      place === 0
        ? html`<th role="rowheader" scope="row" class=${kind(column)}>${column.of(row)}</th>`
        : html`<td role="cell" class=${kind(column)} data-title=${column.title}><div>${column.of(row)}</div></td>`)}</tr>`)}</tbody>
  </table></div>`;
}

/** Facts by name; those without a value are left out. */
export const Facts = ({ facts }) => html`<dl class="facts">${facts
  .filter(([, value]) => value !== null && value !== undefined && value !== false && value !== "")
  .map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

/** A share as a bar with its numbers beside it. */
export const Meter = ({ value, most, label, warn }) => html`<span class="meter ${warn ? "warn" : ""}">
  <progress value=${value} max=${most} aria-label=${label}></progress></span>`;

/** HTML that the pipeline rendered and escaped, in a tree of its own with its own style sheet. */
export function Rendered({ content, css, label, kind }) {
  const place = useRef(null);
  // useEffect runs after drawing: the box would be seen empty first.
  useLayoutEffect(() => {
    const root = place.current.shadowRoot ?? place.current.attachShadow({ mode: "open" });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(css);
    root.adoptedStyleSheets = [sheet];
    // Style attributes are refused by the page's policy; what they say is set by script instead.
    const parsed = new DOMParser().parseFromString(content.replaceAll(' style="', ' data-style="'), "text/html");
    for (const styled of parsed.querySelectorAll("[data-style]")) {
      for (const rule of styled.dataset.style.split(";")) {
        const [name, value] = rule.split(":");
        if (value) styled.style.setProperty(name.trim(), value.trim());
      }
    }
    const main = document.createElement("div");
    main.className = kind;
    main.append(...parsed.body.childNodes);
    root.replaceChildren(main);
  }, [content, css, kind]);
  return html`<div class="rendered" ref=${place} role="region" tabindex="0" aria-label=${label}></div>`;
}
