/** Starts the page: who reviews, and what; then the queue. */
import { html, render } from "../vendor/htm-preact-3.1.1.js";
import { App } from "./app.js";
import { host } from "./host.js";
import { Memory } from "./memory.js";
import { BackOff, troubleOf } from "./outbox.js";
import { ReviewQueue } from "./queue.js";

const page = document.querySelector("#page");

function Starting({ sentence, onRetry }) {
  return html`<main class="calm"><div class="card"><h1>Review</h1>
    <p role="status">${sentence}</p>
    ${onRetry && html`<p><button type="button" class="primary" onClick=${onRetry}>Try now</button></p>`}
  </div></main>`;
}

async function start() {
  const backOff = new BackOff();
  render(html`<${Starting} sentence="Asking the host\u2026" />`, page);
  for (;;) {
    try {
      return await host.session();
    } catch (error) {
      const { kind, sentence } = troubleOf(error);
      const said = kind === "offline" ? "The host does not answer. This page tries again by itself." : sentence;
      render(html`<${Starting} sentence=${said} onRetry=${() => backOff.wake()} />`, page);
      await backOff.pause();
    }
  }
}

const session = await start();
const memory = new Memory({ flywheel: session.flywheel, reviewer: session.reviewer.id });
const queue = new ReviewQueue({ host, memory, session });
window.addEventListener("beforeunload", (event) => {
  // A reload loses nothing, but closing the tab would.
  if (queue.unsaved) event.preventDefault();
});
render(null, page);
render(html`<${App} queue=${queue} session=${session} host=${host} />`, page);
queue.start();
