import { html, useEffect, useLayoutEffect, useRef, useState } from "../vendor/htm-preact-3.1.1.js";

/** A native modal dialog: keeps the focus, closes with Escape, gives the focus back. */
export function Dialog({ title, onClose, children }) {
  const dialog = useRef(null);
  useLayoutEffect(() => {
    dialog.current.showModal();
  }, []);
  return html`<dialog ref=${dialog} onClose=${onClose} aria-labelledby="dialog-title">
    <header><h2 id="dialog-title">${title}</h2>
      <button type="button" class="quiet" onClick=${() => dialog.current.close()}>Close <kbd>Esc</kbd></button></header>
    <div tabindex="0" role="region" aria-labelledby="dialog-title">${children}</div>
  </dialog>`;
}

/** The deployment's guidelines; the host makes HTML of their Markdown, without HTML of their own. */
export function GuidelinesDialog({ load, onClose }) {
  const [shown, setShown] = useState({ html: "", sentence: "Loading\u2026" });
  const content = useRef(null);
  useEffect(() => {
    let there = true;
    load().then(
      (found) => there && setShown({ html: found.html, sentence: "" }),
      (error) => there && setShown({ html: "", sentence: error.message }),
    );
    return () => {
      there = false;
    };
  }, []);
  useEffect(() => {
    for (const link of content.current?.querySelectorAll("a[href]") ?? []) {
      link.target = "_blank";
      link.rel = "noopener noreferrer";
    }
  }, [shown.html]);
  return html`<${Dialog} title="Guidelines" onClose=${onClose}>
    ${shown.sentence && html`<p role="status">${shown.sentence}</p>`}
    ${shown.html && html`<div class="guidelines" ref=${content} dangerouslySetInnerHTML=${{ __html: shown.html }} />`}
  <//>`;
}
