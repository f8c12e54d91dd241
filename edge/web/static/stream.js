// Follows the station. Silence for three seconds is a lost contact, whatever the reason: the program gone, hung, or
// never reached. While contact is lost a new connection is tried again and again; the first message ends it.

const SILENCE_MS = 3000;
const AGAIN_MS = 1000;
const PATIENCE_MS = 3000;  // for a connection that is being made: a busy PC may answer late

export function follow(address, show, lost) {
  let source = null;
  let heard = performance.now();
  let tried = 0;

  function connect() {
    source?.close();
    tried = performance.now();
    source = new EventSource(address);
    source.onmessage = (event) => {
      heard = performance.now();
      show(JSON.parse(event.data));
      lost(null);
    };
  }

  function watch() {
    const now = performance.now();
    const silent = now - heard;
    if (document.hidden || silent > SILENCE_MS) lost(silent / 1000);
    const refused = source?.readyState === EventSource.CLOSED;
    if (!document.hidden && (refused || silent > SILENCE_MS) && now - tried > (refused ? AGAIN_MS : PATIENCE_MS)) connect();
  }

  // A browser holds six connections to one address. A page nobody sees gives its own back, and is covered until it is right again.
  function turned() {
    if (document.hidden) {
      source?.close();
      lost(0);
    } else {
      heard = performance.now();
      connect();
    }
  }

  document.addEventListener("visibilitychange", turned);
  window.addEventListener("pagehide", () => source?.close());
  window.addEventListener("pageshow", (event) => event.persisted && turned());
  setInterval(watch, 200);
  if (!document.hidden) connect();
}
