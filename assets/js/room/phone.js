// The phone: look around, raise a hand, endorse, take a position, write. Each thing is written down here before it is sent.
import { say } from "../common.js";
import { choose, keeper, offer } from "../serverdraft.js";
import { fill, post, uuid, why } from "./send.js";

const words_of = (list) => new Set((list ?? "").split(" ").filter(Boolean));

export function phone(room, following) {
  if (!room.querySelector("[data-section-text]")) return;
  lookAround(room, following);
  sectionText(room, following);
  raiseHand(room, following);
  endorseShown(room, following);
  compose(room, following);
}

function lookAround(room, { browse, browsed, shown, room: at }) {
  const nav = room.querySelector(".room__browse");
  if (!nav) return;
  const links = [...nav.querySelectorAll("[data-browse]")];
  const codes = links.map((link) => link.dataset.browse);
  const where = nav.querySelector("[data-browsing]");
  const turns = [...nav.querySelectorAll("[data-turn]")];
  const next = (by) => codes[codes.indexOf(shown().code) + by];
  function refresh() {
    const text = where.querySelector("[data-text-where]");
    const values = { mine: browsed(), code: at().code };
    where.hidden = !browsed();
    if (browsed()) text.textContent = fill(at().code ? text.dataset.textWhere : text.dataset.textAlone, values);
    for (const button of turns) {
      button.hidden = false;
      button.disabled = !next(Number(button.dataset.turn)) && Boolean(shown().code);
    }
    for (const link of links) {
      if (link.dataset.browse === shown().code) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
  for (const button of turns) button.addEventListener("click", () => browse(shown().code ? next(Number(button.dataset.turn)) : codes[0]));
  nav.addEventListener("click", (event) => {
    const link = event.target.closest("[data-browse]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    nav.querySelector("#room-list").open = false;
    browse(link.dataset.browse);
  });
  nav.querySelector("[data-follow]").addEventListener("click", () => browse(""));
  document.addEventListener("room:changed", refresh);
  refresh();
}

function sectionText(room, { shown }) {
  const fold = room.querySelector("[data-section-text]");
  const place = fold.querySelector("div");
  let read = "";
  async function refresh() {
    const number = shown().section;
    fold.hidden = !number;
    if (!number || !fold.open || number === read) return;
    try {
      const answer = await fetch(fold.dataset.sectionText + number);
      if (answer.ok) { place.innerHTML = await answer.text(); read = number; }
    } catch { /* it is asked again when it is opened again */ }
  }
  fold.addEventListener("toggle", refresh);
  document.addEventListener("room:changed", refresh);
  refresh();
}

function raiseHand(room, { poll, room: at }) {
  const form = room.querySelector("[data-hand-form]");
  if (!form) return;
  const button = form.querySelector("button");
  const label = button.querySelector("span");
  const place = form.querySelector("[data-place]");
  let mine = room.dataset.hand;
  let wasSeen = false; // the room has shown it: once it is gone from there, a facilitator lowered it
  function refresh() {
    const hands = [...words_of(at().hands)];
    if (hands.includes(mine)) wasSeen = true;
    else if (wasSeen || !at().on) { mine = ""; wasSeen = false; }
    form.hidden = !at().on;
    form.elements.up.value = mine ? "" : "1";
    button.setAttribute("aria-pressed", String(Boolean(mine)));
    label.textContent = mine ? label.dataset.down : label.dataset.up;
    place.textContent = hands.includes(mine) ? fill(place.dataset.place, { place: hands.indexOf(mine) + 1 }) : "";
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    try {
      const answer = await post(form.action, new FormData(form));
      if (answer.ok) { mine = (await answer.json()).hand; wasSeen = false; } else say(await why(answer), "danger");
    } catch { say(document.body.dataset.textOffline); }
    refresh();
    poll();
  });
  document.addEventListener("room:changed", refresh);
  refresh();
}

function endorseShown(room, { place, shown }) {
  const form = document.getElementById("room-endorse");
  if (!form) return;
  const endorsed = words_of(room.dataset.endorsed);
  const written = words_of(room.dataset.written);
  const made = room.querySelector("template[data-endorse]").content; // not in what goes to all: a thousand phones get each byte of that
  function refresh() {
    const { open, comments } = shown();
    for (const item of place.querySelectorAll(".comment")) {
      const id = item.id.slice("comment-".length);
      const mayEndorse = open && comments && !written.has(id);
      let button = item.querySelector(".endorse");
      if (!button && mayEndorse) {
        item.append(made.cloneNode(true));
        button = item.querySelector(".endorse");
        button.value = id;
        button.id = `endorse-${id}`;
      }
      if (!button) continue;
      button.hidden = !mayEndorse;
      button.setAttribute("aria-pressed", String(endorsed.has(id)));
      button.querySelector("span").textContent = endorsed.has(id) ? form.dataset.textEndorsed : form.dataset.textEndorse;
    }
  }
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const comment = event.submitter?.value;
    if (!comment) return;
    try {
      const answer = await post(form.action, { comment });
      if (!answer.ok) say(await why(answer), "danger");
      else if ((await answer.json()).endorsed) endorsed.add(comment);
      else endorsed.delete(comment);
    } catch { say(document.body.dataset.textOffline); }
    refresh();
  });
  document.addEventListener("room:written", (event) => { written.add(event.detail); refresh(); });
  document.addEventListener("room:changed", refresh);
  refresh();
}

function compose(room, { shown }) {
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
  let at = { ...shown() };
  let mine = form.elements.code.value;
  let heldAt = ""; // the indicator and revision that the position is of: always what is shown

  const stored = (name, fallback) => { try { return JSON.parse(localStorage.getItem(name)) ?? fallback; } catch { return fallback; } };
  const keep = (name, value) => { try { value ? localStorage.setItem(name, JSON.stringify(value)) : localStorage.removeItem(name); } catch { /* full, or forbidden */ } };
  const held = JSON.parse(words.held ?? "{}"); // the positions that the server has, and those that wait here
  let sent = stored(key, []);
  for (const one of sent) if (one.path === "position" && ["kept", "sending", "out"].includes(one.state)) held[one.values.code] = [one.values.value, true];
  const isEmpty = () => texts().every((field) => !field.value.trim());

  // -- what is typed: kept here at each keystroke, and on the server a moment later --
  const typed = JSON.parse(words.typed || "{}");
  for (const one of Object.values(typed)) one.heard = Date.now();
  const line = form.querySelector("[data-draft-line]");
  const current = () => Object.fromEntries([...texts(), form.elements.kind, form.elements.proposed_language, form.elements.revision].map((field) => [field.name, field.value]));
  for (const name of Object.keys(localStorage).filter((each) => each.startsWith(`${key}:`)))
    if (stored(name, null)?.isSynced && !typed[name.slice(key.length + 1)]) keep(name, null); // it was sent from another device
  const server = keeper(
    () => words.draftServer.replace("CODE", encodeURIComponent(mine)),
    () => ({ ...current(), client_key: form.elements.client_key.value }),
    (isKept, sentAt) => {
      const here = stored(draftKey(mine), null);
      if (isKept && here?.at <= sentAt) keep(draftKey(mine), { ...here, isSynced: true });
      if (!isEmpty()) line.textContent = isKept ? words.textServer : words.textHere;
    },
  );
  const draft = () => {
    const values = texts().some((field) => field.value) ? current() : null;
    keep(draftKey(mine), values && { ...values, at: Date.now() });
    delete typed[mine]; // from now on, what stands here is the newest
  };
  function bind(code) {
    if (code !== mine) server.flush();
    mine = code;
    form.elements.code.value = code;
    heading.textContent = fill(words.textWrite, { code });
    form.elements.client_key.value = uuid();
    const here = stored(draftKey(code), null);
    const { mine: newest, other } = choose(here && { at: here.at ?? 0, values: here }, typed[code]);
    for (const [name, value] of Object.entries(newest ?? {})) if (form.elements[name]) form.elements[name].value = value;
    form.elements.revision.value = newest ? newest.revision ?? "" : at.code === code ? at.revision ?? "" : "";
    line.textContent = newest ? (typed[code] ? words.textServer : words.textHere) : "";
    offer(form, other, words.textOther, words.textTake, current);
    refresh();
  }

  // -- the position is always of what is shown; a reason that is half typed is kept with its indicator --
  const reasonKey = (code) => `${key}:reason:${code}`;
  const legend = position.querySelector("[data-position-of]");
  const kept = position.querySelector("[data-reason-kept]");
  const chosen = () => position.querySelector("[name=value]:checked");
  function keepReason() {
    const { code, reason: why_, revision } = position.elements;
    if (code.value) keep(reasonKey(code.value), why_.value.trim() ? { reason: why_.value, value: chosen()?.value, revision: revision.value } : null);
  }
  function holds() {
    const { code = "", revision = "" } = at;
    if (`${code} ${revision}` === heldAt) return;
    const before = position.elements.code.value;
    const isTyped = Boolean(position.elements.reason.value.trim());
    if (heldAt && before !== code) {
      keepReason();
      kept.hidden = !isTyped;
      kept.textContent = isTyped ? fill(words.textReasonKept, { code: before }) : "";
    }
    if (!heldAt || before !== code) {
      const mineHere = stored(reasonKey(code), null);
      position.elements.reason.value = mineHere?.reason ?? "";
      for (const option of position.querySelectorAll("[name=value]")) option.checked = option.value === (mineHere?.value ?? held[code]?.[0]);
    } else { // another text of the same indicator: what was chosen and not sent is chosen again; what was held, is of the earlier text
      if (held[code]) held[code] = [held[code][0], false];
      for (const option of position.querySelectorAll("[name=value]")) option.checked = option.value === held[code]?.[0];
    }
    heldAt = `${code} ${revision}`;
    position.elements.code.value = code;
    position.elements.revision.value = revision;
    legend.textContent = fill(words.textPositionOf, { code });
    reason();
    holding();
  }
  const labelOf = (value) => position.querySelector(`[name=value][value="${value}"]`).labels[0];
  function holding() {
    const own = composer.querySelector("[data-position-held]");
    const [value, isCurrent] = held[at.code] ?? [];
    own.hidden = !value;
    if (value) own.textContent = `${fill(words.textHold, { code: at.code, position: labelOf(value).textContent.trim() })} ${isCurrent ? "" : words.textEarlier}`;
    for (const mark of room.querySelectorAll("[data-mine]")) {
      const icon = held[mark.dataset.mine] && labelOf(held[mark.dataset.mine][0]).querySelector("svg").cloneNode(true);
      if (icon) { icon.setAttribute("width", 18); icon.setAttribute("height", 18); mark.replaceChildren(icon); }
    }
  }
  const reason = () => { composer.querySelector("[data-reason]").hidden = !["reservation", "disagree"].includes(position.querySelector("[name=value]:checked")?.value); };
  function refresh() {
    composer.hidden = !mine && !sent.length;
    const isElsewhere = Boolean(at.code && mine && at.code !== mine);
    moved.hidden = move.hidden = !isElsewhere;
    moved.querySelector(".notice__body").textContent = isElsewhere ? fill(words.textMoved, { code: at.code, mine }) : "";
    const isOpen = isElsewhere || at.open;
    form.hidden = heading.hidden = !mine || (!(isOpen && (isElsewhere || at.comments)) && isEmpty());
    position.hidden = !at.code || !(at.open && at.positions);
    move.querySelector("span").textContent = fill(words.textMove, { code: at.code });
    const isEarlier = !isElsewhere && Boolean(at.revision) && !isEmpty() && form.elements.revision.value !== at.revision;
    earlier.hidden = !isEarlier;
    earlier.querySelector("p").textContent = fill(words.textOfEarlier, { code: mine });
  }
  const earlier = form.querySelector("[data-earlier]");
  earlier.querySelector("button").addEventListener("click", () => { form.elements.revision.value = at.revision; draft(); server.touch(); refresh(); });
  document.addEventListener("room:changed", () => {
    at = { ...shown() };
    holds();
    if (at.code && isEmpty() && (at.code !== mine || form.elements.revision.value !== at.revision)) bind(at.code); // nothing is typed: go along
    else refresh();
    for (const one of sent) if (one.waits && document.getElementById(`comment-${one.id}`)) { one.waits = false; show(); }
  });
  move.addEventListener("click", () => { draft(); server.flush(); for (const field of texts()) field.value = ""; bind(at.code); heading.scrollIntoView({ block: "nearest" }); });
  form.addEventListener("input", () => {
    draft();
    server.touch();
    refresh();
    if (!isEmpty() || !at.code) return;
    server.flush();
    if (at.code !== mine || form.elements.revision.value !== at.revision) bind(at.code); // emptied, the box goes along
  });
  position.addEventListener("change", () => { reason(); keepReason(); });
  position.addEventListener("input", keepReason);

  // -- sending: written down first, then sent until it is received or refused --
  const list = composer.querySelector("[data-sent]");
  const received = (one) => `${one.path === "position" ? words.textPosition : fill(one.waits ? words.textWaits : words.textReceived, { number: one.number })}${one.changed ? ` ${words.textSince}` : ""}`;
  function show() {
    keep(key, sent.slice(-50));
    composer.querySelector("[data-sent-section]").hidden = !sent.length;
    list.replaceChildren(...sent.slice().reverse().map((one) => {
      const item = document.createElement("li");
      const state = { kept: words.textKept, sending: words.textSending, received: received(one), refused: fill(words.textRefused, { why: one.why }), out: words.textOut }[one.state];
      item.className = `room__sent-one is-${one.state}`;
      const text = document.createElement("span");
      text.dir = "auto";
      text.textContent = `${one.values.code}: ${one.label}`;
      const word = document.createElement("strong");
      word.textContent = state;
      item.append(text, document.createElement("br"), word);
      if (one.attach) item.append(" ", Object.assign(document.createElement("a"), { href: one.attach, textContent: words.textAttach }));
      return item;
    }));
  }
  function refused(one, because) {
    Object.assign(one, { state: "refused", why: because });
    if (one.path !== "position") return;
    if (one.before) held[one.values.code] = one.before; else delete held[one.values.code];
    holding();
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
        const answer = await post(one.action, one.values);
        if (answer.type === "opaqueredirect" || [400, 401, 403].includes(answer.status)) { // this browser is nobody any more
          one.state = "out";
          show();
          throw new Error("signed out");
        }
        if (answer.ok) {
          const { number, id, waits, attach, changed } = await answer.json();
          Object.assign(one, { state: "received", number, id, waits, attach, changed });
          if (changed && one.path === "position") { held[one.values.code] = [one.values.value, false]; holding(); }
          if (id) document.dispatchEvent(new CustomEvent("room:written", { detail: id }));
        } else if ([409, 422].includes(answer.status)) refused(one, await why(answer));
        else throw new Error(answer.status);
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
    sent.push({ path, action: target.action, state: "kept", label, values, before: held[values.code] });
    show();
    send();
  }
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (!form.elements.text.value.trim()) return form.elements.text.focus();
    server.stop();
    put(form, "comment", form.elements.text.value.slice(0, 140));
    form.elements.client_key.value = uuid();
    for (const field of texts()) field.value = "";
    line.textContent = "";
    offer(form);
    keep(draftKey(mine), null);
    if (at.code && at.code !== mine) bind(at.code);
  });
  position.addEventListener("submit", (event) => {
    event.preventDefault();
    const choice = chosen();
    if (!choice) return;
    if (["reservation", "disagree"].includes(choice.value) && !position.elements.reason.value.trim()) return position.elements.reason.focus();
    put(position, "position", choice.labels[0].textContent.trim());
    held[at.code] = [choice.value, true];
    position.elements.reason.value = "";
    kept.hidden = true;
    keepReason();
    holding();
  });
  addEventListener("online", send);
  holds();
  bind(mine || at.code || "");
  show();
  send();
}
