// The secret of the address that `flywheel review` or `flywheel console` opened. Behind another host there is none.
//
// It stands in the fragment, which browsers send to nobody. It is kept for this tab, so that the page can be reloaded,
// and taken out of the address bar, so that it is in no bookmark and on no shared screen.

const KEPT = "flywheel-token";
const PATIENCE = 300;

function take() {
  const fragment = new URLSearchParams(location.hash.slice(1));
  const given = fragment.get("token");
  if (given !== null) history.replaceState(null, "", location.pathname + location.search);
  return given ?? sessionStorage.getItem(KEPT);
}

/** From another tab of the same host: a link that was opened in a new tab has none. */
function askOtherTabs() {
  const channel = new BroadcastChannel(KEPT);
  return new Promise((resolve) => {
    channel.onmessage = ({ data }) => {
      if (data.token) resolve(data.token);
    };
    channel.postMessage({ wanted: true });
    setTimeout(() => resolve(null), PATIENCE);
  }).finally(() => channel.close());
}

const LOCAL = location.hostname === "127.0.0.1";
const token = take() ?? (LOCAL ? await askOtherTabs() : null);
if (token !== null) {
  sessionStorage.setItem(KEPT, token);
  const channel = new BroadcastChannel(KEPT);
  channel.onmessage = ({ data }) => data.wanted && channel.postMessage({ token });
}

/** Headers that show the host that a request comes from its own page. */
export const shownToken = () => (token === null ? {} : { "X-Flywheel-Token": token });

/** An address of the same host that may be opened in another tab, which does not have the secret yet. */
export const withToken = (path) => (token === null ? path : `${path}#token=${encodeURIComponent(token)}`);
