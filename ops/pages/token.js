// The secret of the address that `flywheel review` or `flywheel console` opened. Behind another host there is none.
//
// It stands in the fragment, which browsers send to nobody. It is kept for this tab, so that the page can be reloaded,
// and taken out of the address bar, so that it is in no bookmark and on no shared screen.

const KEPT = "flywheel-token";

function take() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given !== null) {
    sessionStorage.setItem(KEPT, given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem(KEPT);
}

const token = take();

/** Headers that show the host that a request comes from its own page. */
export const shownToken = () => (token === null ? {} : { "X-Flywheel-Token": token });

/** An address of the same host that may be opened in another tab, which does not have the secret yet. */
export const withToken = (path) => (token === null ? path : `${path}#token=${encodeURIComponent(token)}`);
