// The check-in desk on a phone, tablet or laptop: one page that goes on without a network.
import { stayAwake } from "../awake.js";
import * as camera from "./camera.js";
import SignaturePad from "signature_pad";
import { byTicket, dayOf, isInside, known, load, search } from "./guests.js";
import { first, get, remove } from "./store.js";
import { ask, here, onChange, pair, recount, register, scan, sign, state, sync, undo } from "./sync.js";

const words = JSON.parse(document.getElementById("words").textContent);
const $ = (id) => document.getElementById(id);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const time = (moment) => new Intl.DateTimeFormat(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: known.event?.timezone }).format(new Date(moment));
const LOOK = { ok: "ok", already: "already", waiting_list: "already", unknown: "unknown" };
let device;
let isAnswering;
stayAwake();

const show = (name) => { for (const section of document.querySelectorAll("[data-screen]")) section.hidden = section.dataset.screen !== name; };
const choice = () => ({ type: $("exit").checked ? "exit" : "entry", list: $("list").value, mode: $("online").checked ? "online" : "in_person" });

// -- the answer: the whole screen, two seconds, and ready again by itself --
let sounds;
function sound(isGood) {
  if (localStorage.getItem("muted")) return;
  try {
    sounds ??= new AudioContext();
    const tone = sounds.createOscillator();
    const volume = sounds.createGain();
    tone.frequency.value = isGood ? 880 : 220;
    volume.gain.setValueAtTime(0.2, sounds.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, sounds.currentTime + (isGood ? 0.2 : 0.6));
    tone.connect(volume).connect(sounds.destination);
    tone.start();
    tone.stop(sounds.currentTime + 0.6);
  } catch { /* a device without sound */ }
  navigator.vibrate?.(isGood ? 80 : [120, 80, 120]);
}

function hide() {
  clearTimeout(isAnswering);
  $("answer").hidden = true;
}

function why(answer) {
  if (answer.message) return answer.message;
  const local = { ok: words.okLocal, already: words.alreadyLocal, unknown: words.unknownLocal, wrong_day: words.wrongDayLocal, cancelled: words.cancelledLocal, waiting_list: words.waitingLocal };
  return fill(local[answer.result] ?? "", { time: answer.at ? time(answer.at) : "", asOf: known.asOf ? time(known.asOf) : "–" });
}

function tell(answer) {
  if (state.isRevoked) return show("revoked");
  const look = answer.isLocal && answer.result === "unknown" ? "already" : LOOK[answer.result] ?? "refused";
  $("answer").className = `scan-answer scan-answer--${look} desk-answer`;
  $("answer-word").textContent = answer.result === "ok" && $("exit").checked ? words.goodbye : words.word[answer.result];
  $("answer-name").textContent = answer.guest?.name ?? "";
  $("answer-institution").textContent = answer.guest?.institution ?? "";
  $("answer-why").textContent = why(answer);
  for (const image of $("answer").querySelectorAll("[data-look]")) image.toggleAttribute("hidden", image.dataset.look !== look);
  $("answer-join").hidden = !mayJoin(answer);
  $("last").textContent = [$("answer-word").textContent, answer.guest?.name].filter(Boolean).join(": ");
  $("answer").hidden = false;
  sound(answer.result === "ok");
  clearTimeout(isAnswering);
  isAnswering = setTimeout(hide, 2000);
}

async function checkIn(made) {
  performance.mark("scan");
  const chosen = choice();
  const answer = await scan({ ...made, ...chosen });
  performance.measure("scan", "scan");
  tell(answer);
  remember(answer, chosen);
  if (last && chosen.type === "entry" && !chosen.list && chosen.mode === "in_person") await askSignature();
  return answer;
}

// -- the last check-in: it can be undone, and signed for --
let last = null;
let joins = null; // whose phone the join code is for

/** At a staffed desk, after a check-in in person that the server has: their own phone may join by a code. */
const mayJoin = (answer) => device.kind !== "kiosk" && ["ok", "already"].includes(answer.result) && Boolean(answer.guest?.id) && !$("exit").checked;

async function showJoin() {
  const guest = joins;
  hide();
  problem($("join"));
  $("join-words").textContent = "";
  $("join-qr").replaceChildren();
  $("join").hidden = false;
  try {
    const { address, ends_at: ends, size, path } = await ask(here(`guests/${guest.id}/join`), {}, 6000);
    if (joins !== guest || $("join").hidden) return; // somebody else stands before the desk by now
    const [ground, dark] = ["", path].map((d) => { const made = document.createElementNS("http://www.w3.org/2000/svg", "path"); made.setAttribute("d", d || `M0 0h${size}v${size}H0z`); return made; });
    ground.setAttribute("fill", "#fff");
    $("join-qr").setAttribute("viewBox", `0 0 ${size} ${size}`);
    $("join-qr").dataset.address = address;
    $("join-qr").replaceChildren(ground, dark);
    $("join-words").textContent = fill(words.joinUntil, { name: guest.name, time: time(ends) });
    setTimeout(() => { if (joins === guest) $("join").hidden = true; }, new Date(ends) - Date.now());
  } catch (refused) { problem($("join"), refused.status ? refused.message : words.joinOffline); }
}

function remember(answer, chosen) {
  joins = mayJoin(answer) ? answer.guest : null;
  $("join-last").hidden = !joins;
  $("join").hidden = true;
  const isMine = answer.result === "ok" && answer.guest?.id && answer.nonce;
  last = isMine ? { nonce: answer.nonce, guest: answer.guest, place: chosen.list || dayOf(new Date()) } : null;
  $("undo-last").hidden = !last || device.kind === "kiosk";
}

function problem(form, text) {
  const place = form.querySelector("[data-problem]");
  place.textContent = text ?? "";
  place.hidden = !text;
}

function openUndo() {
  $("undo-title").textContent = fill(words.undoOf, { name: last.guest.name });
  problem($("undo-form"));
  $("undo").hidden = false;
  $("reason").focus();
}

async function askSignature() {
  if (!device.asks_signature) return;
  const made = last;
  const canvas = $("sign-canvas");
  $("sign-name").textContent = made.guest.name;
  problem($("sign"));
  $("sign").hidden = false;
  const ratio = Math.max(devicePixelRatio, 1);
  const { width, height } = canvas.getBoundingClientRect();
  Object.assign(canvas, { width: width * ratio, height: height * ratio });
  canvas.getContext("2d").scale(ratio, ratio);
  const pad = new SignaturePad(canvas, { penColor: "#15181e" });
  const idle = () => { clearTimeout(back); back = setTimeout(() => $("sign").close(), 60_000); }; // somebody walked away: the desk goes on
  let back;
  idle();
  pad.addEventListener("beginStroke", idle);
  $("sign-clear").onclick = () => pad.clear();
  await new Promise((done) => {
    $("sign").close = () => { $("sign").hidden = true; done(); };
    $("sign-done").onclick = async () => {
      const near = (value, size, most) => Math.min(most, Math.max(0, Math.round((value / size) * most)));
      const strokes = pad.toData().map(({ points }) => points.flatMap((point) => [near(point.x, width, 1000), near(point.y, height, 400)]));
      if (strokes.flat().length < 8) return problem($("sign"), words.emptySignature);
      try {
        await sign(made, strokes);
        $("sign").close();
      } catch (refused) { problem($("sign"), refused.message || words.notReachedNow); }
    };
  });
  clearTimeout(back);
  pad.off();
}

// -- kiosk: the guest confirms the name before anything is recorded --
async function kiosk(code) {
  if (!$("confirm").hidden || !$("answer").hidden) return;
  let guest = await byTicket(code);
  if (!guest) {
    await sync(); // the list is on its way, or somebody was registered a moment ago: they are asked like everybody
    guest = await byTicket(code);
  }
  if (!guest) return checkIn({ code });
  $("confirm-name").textContent = guest.name;
  $("confirm-institution").textContent = guest.institution;
  $("confirm").hidden = false;
  $("confirm-yes").focus();
  const back = setTimeout(() => { $("confirm").hidden = true; }, 20000);
  $("confirm-no").onclick = () => { clearTimeout(back); $("confirm").hidden = true; };
  $("confirm-yes").onclick = async () => {
    clearTimeout(back);
    $("confirm").hidden = true;
    const answer = await checkIn({ code });
    if (answer.result === "ok") await printBadge(answer.guest);
  };
}

async function printBadge(guest) {
  const paper = $("paper");
  try {
    paper.innerHTML = await ask(here(`guests/${guest.id}/badge`), undefined, 4000);
  } catch { // without a network: a badge without its code
    paper.replaceChildren(Object.assign(document.createElement("article"), { className: "badge-print" }));
    for (const [name, text] of [["event", known.event.title], ["name", guest.name], ["institution", guest.institution]])
      paper.firstChild.append(Object.assign(document.createElement("p"), { className: `badge-print__${name}`, textContent: text }));
  }
  print();
}

const isBusy = () => ["sign", "undo", "replace", "join"].some((id) => !$(id).hidden); // somebody signs, says why, or reads the join code
const found = (code) => (isBusy() ? undefined : device.kind === "kiosk" ? kiosk(code) : checkIn({ code }));

// -- the camera --
async function startCamera(deviceId) {
  if (!navigator.mediaDevices) return noCamera(words.insecure);
  try {
    await camera.start($("video"), found, deviceId);
    $("camera").hidden = false;
    $("no-camera").hidden = true;
    $("torch").hidden = !camera.hasTorch();
    const all = await camera.cameras();
    $("cameras").hidden = all.length < 2;
    $("cameras").replaceChildren(...all.map((one, n) => new Option(one.label || `${words.camera} ${n + 1}`, one.deviceId)));
    if (deviceId) $("cameras").value = deviceId;
  } catch (problem) {
    if (deviceId) return startCamera();
    noCamera(problem.name === "NotAllowedError" ? words.noLeave : words.noCamera);
  }
}

function noCamera(text) {
  $("camera").hidden = true;
  $("no-camera").hidden = false;
  $("no-camera-why").textContent = text;
}

// -- search by name --
function row(guest) {
  const line = document.createElement("li");
  line.className = "found__person";
  const who = document.createElement("div");
  who.append(Object.assign(document.createElement("strong"), { textContent: guest.name }), document.createElement("br"), Object.assign(document.createElement("span"), { className: "muted", textContent: guest.institution }));
  const button = (text, act, kind = "secondary") => {
    const made = Object.assign(document.createElement("button"), { type: "button", className: `button button--${kind}`, textContent: text });
    made.addEventListener("click", act);
    return made;
  };
  const buttons = document.createElement("div");
  buttons.className = "toolbar";
  const isThere = isInside(guest, $("list").value);
  if (isThere && !$("exit").checked) buttons.append(Object.assign(document.createElement("span"), { className: "pill pill--success", textContent: words.arrived }));
  else buttons.append(button($("exit").checked ? words.checkOut : words.checkIn, async () => { await checkIn({ guest: guest.id }); find(); }, "primary"));
  buttons.append(button(words.badge, () => printBadge(guest), "quiet"));
  if (!isThere && !$("exit").checked) buttons.append(button(words.colleague, () => openReplace(guest), "quiet"));
  line.append(who, buttons);
  return line;
}

let replaced;
function openReplace(guest) {
  replaced = guest;
  $("replace-title").textContent = fill(words.inPlaceOf, { name: guest.name });
  problem($("replace-form"));
  $("replace").hidden = false;
  $("colleague").focus();
}

/** Send a form that registers somebody; what was typed stays where it is refused. */
function registers(form, path, values, after) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const send = form.querySelector("[type=submit]");
    send.disabled = true;
    try {
      const answer = await register(path(), { ...Object.fromEntries(new FormData(form)), ...values() }, form.elements.institution?.value ?? replaced?.institution);
      form.reset();
      problem(form);
      after();
      tell(answer);
      remember(answer, { list: values().list });
      $("walk-in-badge").onclick = () => printBadge(answer.guest);
      $("walk-in-badge").hidden = answer.result !== "ok";
      if (last && !values().list) await askSignature();
    } catch (refused) { problem(form, refused.message || words.notReachedNow); } finally { send.disabled = false; }
  });
}

function find() {
  const typed = $("q").value;
  const people = search(typed);
  $("found").replaceChildren(...people.map(row));
  $("nobody").hidden = people.length > 0 || typed.trim().length < 2;
}

// -- what is always visible --
async function status() {
  if (state.isRevoked) return show("revoked");
  $("status").textContent = fill(words.status, { known: known.count, asOf: known.asOf ? time(known.asOf) : "–", waiting: state.waiting });
  $("network").textContent = state.isOnline ? words.online : words.offline;
  $("network").className = `pill pill--${state.isOnline ? "success" : "warning"}`;
  $("send").hidden = state.waiting === 0;
  $("clock").hidden = Math.abs(state.clockOffset) <= 120;
  $("clock").textContent = fill(words.clock, { minutes: Math.round(Math.abs(state.clockOffset) / 60) });
  const entries = await first("findings", 50);
  $("findings").hidden = !entries.length;
  $("findings-list").replaceChildren(...entries.map(([key, one]) => {
    const line = document.createElement("li");
    line.append(fill(words.finding, { time: time(one.at), name: one.name, shown: words.word[one.shown] ?? one.shown, result: words.word[one.result] ?? one.result, why: one.message ?? "" }), " ");
    const done = Object.assign(document.createElement("button"), { type: "button", className: "button button--quiet", textContent: words.seen });
    done.addEventListener("click", async () => { await remove("findings", key); recount(); });
    line.append(done);
    return line;
  }));
}

function listen() {
  $("code-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const code = $("code").value;
    $("code").value = "";
    if (code.trim()) found(code);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    hide();
    document.querySelector(".desk-dialog:not([hidden]) [data-close]")?.click();
  });
  let typed = "";
  let at = 0;
  document.addEventListener("keydown", (event) => { // a keyboard scanner types fast, wherever the focus is, and ends with Enter
    if (event.target.matches("input, select, textarea") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (Date.now() - at > 100) typed = "";
    at = Date.now();
    if (event.key === "Enter" && typed.length > 5) { event.preventDefault(); found(typed); typed = ""; } else if (event.key.length === 1) typed += event.key;
  });
  $("photo").addEventListener("change", async () => {
    const [file] = $("photo").files;
    $("photo").value = "";
    const code = file && (await createImageBitmap(file).then(camera.detect).catch(() => undefined));
    if (code) found(code);
    else if (file) tell({ result: "unknown", message: words.noCode });
  });
  $("q").addEventListener("input", find);
  $("find-form").addEventListener("submit", (event) => { event.preventDefault(); find(); });
  for (const id of ["exit", "list"]) $(id).addEventListener("change", () => { document.body.classList.toggle("is-exit", $("exit").checked); find(); });
  $("cameras").addEventListener("change", () => { localStorage.setItem("camera", $("cameras").value); startCamera($("cameras").value); });
  $("torch").addEventListener("click", () => { const isOn = $("torch").getAttribute("aria-pressed") !== "true"; $("torch").setAttribute("aria-pressed", isOn); camera.torch(isOn); });
  $("mute").checked = Boolean(localStorage.getItem("muted"));
  $("mute").addEventListener("change", () => ($("mute").checked ? localStorage.setItem("muted", "1") : localStorage.removeItem("muted")));
  $("send").addEventListener("click", sync);
  $("answer").addEventListener("click", hide);
  registers($("walk-in-form"), () => "walk-ins", () => ({ list: $("list").value }), () => { $("walk-in").open = false; });
  registers($("replace-form"), () => `guests/${replaced.id}/replace`, () => ({}), () => { $("replace").hidden = true; find(); });
  $("undo-last").addEventListener("click", openUndo);
  for (const button of document.querySelectorAll("[data-join]")) button.addEventListener("click", (event) => { event.stopPropagation(); showJoin(); });
  $("undo-form").addEventListener("submit", async (event) => {
    event.preventDefault();
    const made = last;
    try {
      const answer = await undo(made, $("reason").value);
      $("undo-form").reset();
      $("undo").hidden = true;
      remember({}, {});
      $("last").textContent = fill(answer ? words.undone : words.undoneLater, { name: made.guest.name });
      find();
    } catch (refused) { problem($("undo-form"), refused.message || words.notReachedNow); }
  });
  for (const close of document.querySelectorAll("[data-close]")) {
    const dialog = close.closest(".desk-dialog");
    close.addEventListener("click", () => (dialog.id === "sign" ? dialog.close() : (dialog.hidden = true)));
  }
}

async function open() {
  await load();
  device = await get("device");
  if (!device || !known.event) return show("unpaired");
  document.title = `${device.name} – ${known.event.title}`;
  $("event").textContent = known.event.title;
  $("device").textContent = device.name;
  document.body.classList.toggle("is-kiosk", device.kind === "kiosk");
  for (const part of document.querySelectorAll("[data-staff]")) part.hidden = device.kind === "kiosk";
  $("list").replaceChildren(...known.event.lists.map((list) => new Option([list.name, list.starts_at].filter(Boolean).join(" · "), list.id)));
  $("lists").hidden = device.kind === "kiosk";
  $("type").replaceChildren(new Option(words.chooseOne, ""), ...known.event.stakeholder_types.map((type) => new Option(type.name, type.code)));
  $("institutions").replaceChildren(...known.event.institutions.map((name) => new Option(name, name)));
  show("desk");
  listen();
  onChange(status);
  await recount();
  startCamera(localStorage.getItem("camera") || undefined);
  await sync();
  navigator.storage?.persist?.();
}

async function begin() {
  const secret = decodeURIComponent(location.hash.slice(1));
  if (secret) {
    const waiting = await first("queue", 1);
    if (waiting.length && !confirm(words.stillWaiting)) { history.replaceState(null, "", location.pathname); return open(); }
    show("pairing");
    try {
      await pair(secret);
      history.replaceState(null, "", location.pathname);
    } catch (problem) {
      show("unpaired");
      $("problem").textContent = problem.message && problem.status ? problem.message : words.notReached;
      $("problem").hidden = false;
      return;
    }
  }
  await open();
}

$("pair-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const secret = $("pair-address").value.split("#").pop().trim();
  if (secret) { location.hash = secret; begin(); }
});
navigator.serviceWorker?.register("/desk/worker.js", { scope: "/desk" });
window.desk = { checkIn, known, scan, state, sync }; // for tests and measurements
begin();
