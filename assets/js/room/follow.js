// The stream: what stands now is put in its place, on every page that follows a room. A phone may look at another
// indicator meanwhile; then what the room is at waits until it follows again.
const BROWSED_ANEW = 20000;

export function follow(room) {
  const place = room.querySelector("[data-room-now]");
  const line = room.querySelector("[data-line]");
  const fragment = () => place.querySelector("[data-room-fragment]")?.dataset ?? {};
  let seen = Number(new URL(room.dataset.stream, location.href).searchParams.get("seen"));
  let latest = place.innerHTML; // what the room is at
  let at = { ...fragment() };
  let browsed = "";
  let isStale = false; // something changed while another indicator is looked at
  let source;
  let polling;
  let again;
  let isHeld = false; // a finger is down: a button that goes away under it would not be pressed
  let waits;

  const say = (isLive) => { if (line) line.textContent = isLive ? line.dataset.textLive : line.dataset.textBroken; };

  function show(html) {
    if (isHeld) { waits = html; return; }
    waits = undefined;
    const before = fragment().code;
    const folds = Object.fromEntries([...place.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = html;
    const isSame = before === fragment().code;
    for (const fold of place.querySelectorAll("details[id]")) if (isSame || fold.id !== "room-finding") fold.open = folds[fold.id] ?? fold.open;
    document.dispatchEvent(new CustomEvent("room:changed"));
    if (focused) document.getElementById(focused)?.focus();
  }

  function put(html, number) {
    if (number <= seen) return;
    seen = number;
    latest = html;
    const made = document.createElement("template");
    made.innerHTML = html;
    at = { ...made.content.querySelector("[data-room-fragment]").dataset };
    if (!browsed) return show(html);
    isStale = true;
    document.dispatchEvent(new CustomEvent("room:changed"));
  }

  const ask = async (address) => {
    const answer = await fetch(address, { cache: "no-store", signal: AbortSignal.timeout(8000) });
    if (!answer.ok) throw new Error(answer.status);
    return answer.json();
  };

  async function poll() {
    try {
      const { html, number } = await ask(room.dataset.now);
      put(html, number);
      say(true);
    } catch { say(false); }
  }

  async function browse(code) {
    if (!code || code === at.code) {
      browsed = "";
      return show(latest);
    }
    try {
      const address = new URL(room.dataset.now, location.href);
      address.searchParams.set("code", code);
      const { html } = await ask(address);
      browsed = code;
      isStale = false;
      show(html);
    } catch { say(false); }
  }

  // A browser holds six connections to a site: a tab that is hidden gives its own back, and asks again when it is seen.
  function close() {
    source?.close();
    source = undefined;
    clearInterval(polling);
    polling = undefined;
    clearTimeout(again);
  }

  function open() {
    close();
    if (document.hidden) return;
    if (!("EventSource" in window)) { polling = setInterval(poll, 5000); return; }
    const address = new URL(room.dataset.stream, location.href);
    address.searchParams.set("seen", seen);
    source = new EventSource(address);
    source.onopen = () => { clearInterval(polling); polling = undefined; say(true); };
    source.onmessage = (event) => put(event.data, Number(event.lastEventId));
    source.onerror = () => { // the browser tries again by itself; until it comes through, ask
      say(false);
      polling ??= setInterval(poll, 5000);
      if (source?.readyState === EventSource.CLOSED) again = setTimeout(open, 3000 + Math.random() * 3000);
    };
  }
  open();
  addEventListener("online", () => { poll(); open(); });
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    poll();
    open();
    if (browsed) browse(browsed);
  });
  addEventListener("pagehide", close);
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });
  setInterval(() => { if (browsed && isStale && !document.hidden) browse(browsed); }, BROWSED_ANEW);

  room.addEventListener("pointerdown", () => { isHeld = true; });
  for (const kind of ["pointerup", "pointercancel"]) {
    addEventListener(kind, () => setTimeout(() => { isHeld = false; if (waits !== undefined) show(waits); }));
  }

  setInterval(() => {
    for (const time of document.querySelectorAll("[data-ends]")) {
      const left = Math.max(0, Math.round((new Date(time.dataset.ends) - Date.now()) / 1000));
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      time.classList.toggle("is-over", left === 0);
    }
  }, 500);

  return { place, poll, browse, shown: fragment, room: () => at, browsed: () => browsed };
}
