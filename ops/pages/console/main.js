/** Starts the console: which page the address names, of which flywheel. */
import { html, render, useEffect, useLayoutEffect, useRef, useState } from "../vendor/htm-preact-3.1.1.js";
import { Endpoint } from "./endpoint.js";
import { Flywheels } from "./flywheels.js";
import { addressOf } from "./address.js";
import { usePart } from "./host.js";
import { Model, Models } from "./models.js";
import { Overview } from "./overview.js";
import { Part, Trouble } from "./pieces.js";
import { Promotions } from "./promotions.js";
import { Queue } from "./queue.js";
import { Turn, Turns } from "./turns.js";
import { Rejected, Uploads } from "./uploads.js";

/** By the part of the address after the flywheel: title in the menu, page, page of one thing. */
const PAGES = {
  "": { title: "Overview", page: Overview },
  turns: { title: "Turns", page: Turns, one: Turn, trains: true },
  models: { title: "Models", page: Models, one: Model },
  promotions: { title: "Promotions", page: Promotions },
  endpoint: { title: "Endpoint and costs", page: Endpoint },
  uploads: { title: "Uploads", page: Uploads, one: Rejected, trains: true },
  review: { title: "Review", page: Queue, trains: true },
};

/** `#/news/turns/turn-000003` is {flywheel: "news", page: "turns", one: "turn-000003"}. */
function route() {
  const [, flywheel = "", page = "", one = ""] = location.hash.replace(/^#/, "").split("/").map(decodeURIComponent);
  return { flywheel, page, one };
}


function Console({ session }) {
  const [where, setWhere] = useState(route());
  const main = useRef(null);
  const first = useRef(true);
  // useEffect runs after drawing: a change of the address in between would be missed.
  useLayoutEffect(() => {
    const moved = () => setWhere(route());
    addEventListener("hashchange", moved);
    return () => removeEventListener("hashchange", moved);
  }, []);
  useEffect(() => {
    const heading = main.current.querySelector("h1");
    document.title = [heading?.textContent, where.flywheel, "Flywheel console"].filter(Boolean).join(" \u00b7 ");
    // Where a screen reader goes on reading; not at the start, where it reads the page anyway.
    if (!first.current) heading?.focus();
    first.current = false;
    scrollTo(0, 0);
  }, [where]);
  return html`<a class="skip" href="#content" onClick=${(event) => {
      event.preventDefault();
      main.current.focus();
    }}>Skip to the content</a>
    <header class="top"><div>
      <a class="brand" href=${addressOf("")}><img src="../icon.svg" alt="" />Flywheel console</a>
      ${where.flywheel && html`<strong>${where.flywheel}</strong>`}
      <span class="where">${session.caller.name} \u00b7 account ${session.account} \u00b7 ${session.region}</span>
    </div></header>
    ${where.flywheel
      ? html`<${OfFlywheel} key=${where.flywheel} where=${where} session=${session} main=${main} />`
      : html`<main id="content" ref=${main} tabindex="-1"><${Flywheels} session=${session} /></main>`}`;
}

function OfFlywheel({ where, session, main }) {
  const what = usePart(`flywheels/${encodeURIComponent(where.flywheel)}/what`);
  const { page, one } = where;
  const found = PAGES[page];
  const shown = Object.entries(PAGES).filter(([, { trains }]) => !(trains && what.data?.imports));
  const Page = found && (one ? found.one : found.page);
  return html`<nav class="pages" aria-label="Pages of ${where.flywheel}"><ul>${shown.map(([path, { title }]) => html`<li>
      <a href=${addressOf(...[where.flywheel, path].filter(Boolean))} aria-current=${path === page ? "page" : null}>
        ${title}</a></li>`)}</ul></nav>
    <main id="content" ref=${main} tabindex="-1">
      ${Page ? html`<${Part} part=${what}>${(data) => html`<${Page} key=${`${page}/${one}`} what=${data} one=${one}
          session=${session} of=${(path) => `flywheels/${encodeURIComponent(where.flywheel)}/${path}`} />`}<//>`
        : html`<h1 tabindex="-1">No such page</h1><p><a href=${addressOf(where.flywheel)}>To the overview</a></p>`}
    </main>`;
}

function Start() {
  const session = usePart("session");
  useEffect(() => {
    // Where there is only one, or one was named, its page is what somebody wants to see.
    if (session.data?.chosen && !location.hash) location.replace(addressOf(session.data.chosen));
  }, [session.data]);
  if (session.data) return html`<${Console} session=${session.data} />`;
  return html`<main aria-busy=${!session.error}><h1>Flywheel console</h1>${session.error
    ? html`<${Trouble} error=${session.error} onRetry=${session.reload} />`
    : html`<p class="soft" role="status">Asking the host\u2026</p>`}</main>`;
}

render(html`<${Start} />`, document.querySelector("#page"));
