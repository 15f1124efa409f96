// A page that follows a room: what changes is put in by itself; what somebody types is never touched, and never lost.
const room = document.querySelector("[data-room]");
const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const uuid = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

function follow() {
  const place = room.querySelector("[data-room-now]");
  const line = room.querySelector("[data-line]");
  const fragment = () => place.querySelector("[data-room-fragment]");
  let seen = Number(new URL(room.dataset.stream, location.href).searchParams.get("seen"));
  let source;
  let polling;

  const say = (isLive) => { if (line) line.textContent = isLive ? line.dataset.textLive : line.dataset.textBroken; };

  function put(html, number) {
    if (number <= seen) return;
    seen = number;
    const before = fragment()?.dataset.code;
    const folds = Object.fromEntries([...place.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]));
    const focused = place.contains(document.activeElement) ? document.activeElement.id : "";
    place.innerHTML = html;
    if (before === fragment()?.dataset.code) for (const fold of place.querySelectorAll("details[id]")) fold.open = folds[fold.id] ?? fold.open;
    if (focused) document.getElementById(focused)?.focus();
    if (room.hasAttribute("data-reload") && before !== fragment()?.dataset.code && !document.activeElement?.matches("textarea, input")) location.reload(); // the console's buttons
    document.dispatchEvent(new CustomEvent("room:changed", { detail: fragment()?.dataset ?? {} }));
  }

  async function poll() {
    try {
      const answer = await fetch(room.dataset.now, { cache: "no-store", signal: AbortSignal.timeout(8000) });
      if (!answer.ok) throw new Error(answer.status);
      const { html, number } = await answer.json();
      put(html, number);
      say(true);
      return true;
    } catch { say(false); return false; }
  }

  function open() {
    source?.close();
    const address = new URL(room.dataset.stream, location.href);
    address.searchParams.set("seen", seen);
    source = new EventSource(address);
    source.onopen = () => { clearInterval(polling); polling = undefined; say(true); };
    source.onmessage = (event) => put(event.data, Number(event.lastEventId));
    source.onerror = () => { // the browser tries again by itself; until it comes through, ask
      say(false);
      polling ??= setInterval(poll, 5000);
      if (source.readyState === EventSource.CLOSED) setTimeout(open, 3000 + Math.random() * 3000);
    };
  }
  if ("EventSource" in window) open();
  else polling = setInterval(poll, 5000);
  addEventListener("online", () => { poll(); open(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) poll(); });
  addEventListener("pagehide", () => source?.close());
  addEventListener("pageshow", (event) => { if (event.persisted) open(); });

  setInterval(() => {
    for (const time of document.querySelectorAll("[data-ends]")) {
      const left = Math.max(0, Math.round((new Date(time.dataset.ends) - Date.now()) / 1000));
      time.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      time.classList.toggle("is-over", left === 0);
    }
  }, 500);

  if (room.dataset.do) { // the projector's keyboard
    document.addEventListener("keydown", async (event) => {
      const way = { ArrowRight: "next", PageDown: "next", " ": "next", ArrowLeft: "previous", PageUp: "previous" }[event.key];
      const shown = fragment()?.dataset.code;
      if (!way || !shown) return;
      event.preventDefault();
      await fetch(room.dataset.do, { method: "POST", body: new URLSearchParams({ do: way, shown }), headers: { "X-CSRFToken": csrf(), "X-Requested-With": "fetch" } }).catch(() => {});
      poll();
    });
  }
}

function compose() {
  const composer = room.querySelector("[data-room-composer]");
  if (!composer) return;
  const form = composer.querySelector("[data-room-comment]");
  const position = composer.querySelector("[data-room-position]");
  const heading = composer.querySelector("#room-write");
  const moved = composer.querySelector("[data-moved]");
  const move = composer.querySelector("[data-move]");
  const words = room.dataset;
  const key = `draft:room:${words.room}:${words.who}`; // one person's; "draft:" is what signing out forgets
  const draftKey = (code) => `${key}:${code}`;
  const texts = () => ["text", "proposed", "link"].map((name) => form.elements[name]);
  let at = room.querySelector("[data-room-fragment]").dataset;
  let mine = form.elements.code.value;

  const stored = (name, fallback) => { try { return JSON.parse(localStorage.getItem(name)) ?? fallback; } catch { return fallback; } };
  const keep = (name, value) => { try { value ? localStorage.setItem(name, JSON.stringify(value)) : localStorage.removeItem(name); } catch { /* full, or forbidden */ } };
  let sent = stored(key, []);
  const isEmpty = () => texts().every((field) => !field.value.trim()) && !position.elements.reason.value.trim();

  const draft = () => { const values = Object.fromEntries([...texts(), form.elements.kind].map((field) => [field.name, field.value])); keep(draftKey(mine), texts().some((field) => field.value) ? values : null); };
  function bind(code) {
    mine = code;
    form.elements.code.value = position.elements.code.value = code;
    heading.textContent = fill(words.textWrite, { code });
    for (const [name, value] of Object.entries(stored(draftKey(code), {}))) if (form.elements[name]) form.elements[name].value = value;
    const held = stored(`${key}:position:${code}`, null);
    for (const option of position.querySelectorAll("[name=value]")) option.checked = option.value === held;
    position.elements.reason.value = "";
    reason();
    refresh();
  }
  const reason = () => { composer.querySelector("[data-reason]").hidden = !["reservation", "disagree"].includes(position.querySelector("[name=value]:checked")?.value); };
  function refresh() {
    composer.hidden = !mine;
    const isElsewhere = Boolean(at.code && mine && at.code !== mine);
    moved.hidden = move.hidden = !isElsewhere;
    moved.querySelector(".notice__body").textContent = isElsewhere ? fill(words.textMoved, { code: at.code, mine }) : "";
    const isOpen = isElsewhere || at.open;
    form.hidden = heading.hidden = !(isOpen && (isElsewhere || at.comments)) && isEmpty();
    position.hidden = !(isOpen && (isElsewhere || at.positions));
  }
  document.addEventListener("room:changed", (event) => {
    at = { ...event.detail };
    if (at.code && at.code !== mine && isEmpty()) bind(at.code); // nothing is typed: go along
    else refresh();
  });
  move.addEventListener("click", () => { draft(); for (const field of texts()) field.value = ""; bind(at.code); heading.scrollIntoView({ block: "nearest" }); });
  form.addEventListener("input", draft);
  position.addEventListener("change", reason);

  // -- sending: written down first, then sent until it is received or refused --
  const list = composer.querySelector("[data-sent]");
  function show() {
    keep(key, sent.slice(-50));
    composer.querySelector("[data-sent-section]").hidden = !sent.length;
    list.replaceChildren(...sent.slice().reverse().map((one) => {
      const item = document.createElement("li");
      const state = { kept: words.textKept, sending: words.textSending, received: one.path === "position" ? words.textPosition : fill(words.textReceived, { number: one.number }), refused: fill(words.textRefused, { why: one.why }), out: words.textOut }[one.state];
      item.className = `room__sent-one is-${one.state}`;
      const text = document.createElement("span");
      text.dir = "auto";
      text.textContent = `${one.values.code}: ${one.label}`;
      const word = document.createElement("strong");
      word.textContent = state;
      item.append(text, document.createElement("br"), word);
      return item;
    }));
  }
  let timer;
  let wait = 1000;
  let isSending = false;
  async function send() {
    clearTimeout(timer);
    if (isSending) return;
    isSending = true;
    try {
      for (const one of sent.filter((each) => ["kept", "sending", "out"].includes(each.state))) {
        one.state = "sending";
        show();
        const answer = await fetch(one.action, { method: "POST", body: new URLSearchParams(one.values), headers: { "X-CSRFToken": csrf(), Accept: "application/json" }, redirect: "manual", signal: AbortSignal.timeout(10000) });
        if (answer.type === "opaqueredirect" || [400, 401, 403].includes(answer.status)) { // this browser is nobody any more
          one.state = "out";
          show();
          throw new Error("signed out");
        }
        if (answer.ok) Object.assign(one, { state: "received", number: (await answer.json()).number });
        else if ([409, 422].includes(answer.status)) {
          const said = answer.headers.get("Content-Type").includes("json") ? (await answer.json()).errors.join(" ") : new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("main p, .notice__body p")?.textContent ?? "";
          Object.assign(one, { state: "refused", why: said });
        } else throw new Error(answer.status);
        show();
      }
      wait = 1000;
    } catch {
      for (const one of sent) if (one.state === "sending") one.state = "kept";
      show();
      wait = Math.min(15000, wait * 2);
      timer = setTimeout(send, wait * (0.7 + Math.random() * 0.6));
    } finally { isSending = false; }
  }
  function put(target, path, label) {
    const values = Object.fromEntries(new FormData(target));
    delete values.csrf_token;
    sent.push({ path, action: target.action, state: "kept", label, values });
    show();
    send();
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.elements.text.value.trim()) return form.elements.text.focus();
    form.elements.client_key.value = uuid();
    put(form, "comment", form.elements.text.value.slice(0, 140));
    for (const field of texts()) field.value = "";
    keep(draftKey(mine), null);
    if (at.code && at.code !== mine) bind(at.code);
  });
  position.addEventListener("submit", (event) => {
    event.preventDefault();
    const chosen = position.querySelector("[name=value]:checked");
    if (!chosen) return;
    if (["reservation", "disagree"].includes(chosen.value) && !position.elements.reason.value.trim()) return position.elements.reason.focus();
    keep(`${key}:position:${mine}`, chosen.value);
    put(position, "position", chosen.labels[0].textContent.trim());
    position.elements.reason.value = "";
  });
  addEventListener("online", send);
  bind(mine || at.code || "");
  show();
  send();
}

if (room) {
  follow();
  compose();
}
