// The way to the server: a scan is tried at once with little patience; what does not get through waits, and goes up in order, once.
import { forget, judge, known, take } from "./guests.js";
import { add, count, first, get, put, remove, update, wipe } from "./store.js";

const VERSION = document.documentElement.dataset.version;
const PATIENCE = 1500; // ms for a scan while somebody stands before the desk
const BATCH = 50;
const HEARTBEAT = 60_000;
const listeners = new Set();
const state = { isOnline: navigator.onLine, waiting: 0, findings: 0, clockOffset: 0, isRevoked: false, busy: false };
let wait = 500;
let heard = 0; // when the server last heard how this device is
let timer;

const onChange = (listener) => listeners.add(listener);
const changed = () => listeners.forEach((listener) => listener(state));
const uuid = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

class Refused extends Error {
  constructor(status, answer) {
    super(answer.message);
    this.status = status;
    this.isRevoked = status === 401;
  }
}

/** Ask the API; throws Refused for an answer that will not get better, and anything else where it may. */
async function ask(path, body, patience = 15000) {
  const token = await get("token");
  const answer = await fetch(`/api/v1/${path}`, {
    method: body ? "POST" : "GET",
    headers: { "Accept-Language": document.documentElement.lang, ...(token && { Authorization: `Bearer ${token}` }), ...(body && { "Content-Type": "application/json" }) },
    body: body && JSON.stringify(body),
    credentials: "omit",
    cache: "no-store",
    signal: AbortSignal.timeout(patience),
  });
  if (answer.ok) return answer.headers.get("Content-Type").includes("json") ? answer.json() : answer.text();
  if (answer.status >= 500 || answer.status === 429) throw new Error(`status ${answer.status}`);
  throw new Refused(answer.status, await answer.json().catch(() => ({ message: "" })));
}

const here = (path) => `events/${known.event.slug}/${path}`;

async function pair(secret) {
  let key = await get("client_key");
  if (!key) await put({ client_key: (key = uuid()) }); // kept first: an answer lost on its way can be asked for again
  const answer = await ask("devices/pair", { secret, client_key: key, app_version: VERSION });
  await put({ token: answer.token, event: answer.event, device: answer.device, guests: undefined });
}

async function refresh() {
  await take(await ask(here(`guests?since=${known.cursor}`)));
}

async function recount() {
  [state.waiting, state.findings] = await Promise.all([count("queue"), count("findings")]);
  changed();
}

function set(isOnline) {
  state.isOnline = isOnline;
  changed();
}

/** Write a scan down, then answer it: by the server if it is quick, else by what this device knows. */
async function scan(made) {
  const item = { nonce: uuid(), type: "entry", list: "", mode: "in_person", scanned_at: new Date().toISOString(), ...made };
  const key = await add("queue", { item, shown: null });
  const isAlone = (await count("queue")) === 1;
  let answer;
  if (isAlone && state.isOnline) {
    try {
      answer = await ask(here("checkins"), { ...item, device_now: new Date().toISOString() }, PATIENCE);
      await remove("queue", key);
      if (answer.result === "revoked") return revoked();
      if (answer.result === "ok") await judge(item); // what was just done is known here too
    } catch (problem) {
      if (problem.isRevoked) return revoked();
      set(false);
    }
  }
  if (!answer) {
    answer = { ...(await judge(item)), nonce: item.nonce, isLocal: true };
    await update("queue", key, { item, shown: answer.result });
    later(isAlone ? 500 : wait);
  }
  await recount();
  return answer;
}

/** Send what is no scan: a walk-in, a replacement, a signature, an undoing. Returns the answer, or null where it waits. */
async function send(path, item, name = "") {
  const key = await add("queue", { item, shown: null, path, name });
  try {
    if ((await count("queue")) === 1 && state.isOnline) {
      const answer = await ask(here(path), { ...item, device_now: new Date().toISOString() }, 4000);
      await remove("queue", key);
      return answer;
    }
  } catch (problem) {
    if (problem instanceof Refused) {
      await remove("queue", key);
      throw problem;
    }
    set(false);
  } finally {
    await recount();
  }
  await update("queue", key, { item, shown: "ok", path, name });
  later(500);
  return null;
}

/** Register somebody at the desk, by a walk-in or in the place of a delegate, and check them in. */
async function register(path, person, institution) {
  const item = { nonce: uuid(), scanned_at: new Date().toISOString(), ...person };
  const answer = await send(path, item, item.name);
  if (answer?.result === "ok") later(0); // the list has somebody new
  return answer ?? { result: "ok", isLocal: true, guest: { name: item.name, institution } };
}

/** Take back a check-in that this device made. */
async function undo(made, reason) {
  const answer = await send(`checkins/${made.nonce}/undo`, { guest: made.guest.id, reason }, made.guest.name);
  forget(made.guest.id, made.place);
  if (answer) later(0);
  return answer;
}

const sign = (made, strokes) => send("signatures", { nonce: made.nonce, guest: made.guest.id, strokes }, made.guest.name);

async function settle(key, entry, result) {
  const { item, shown } = entry;
  const said = result.ok ? "ok" : result.result; // what is no scan is only done, or not
  if (shown && shown !== said) await add("findings", { at: item.scanned_at ?? new Date().toISOString(), shown, result: said, message: result.message, name: result.guest?.name ?? entry.name ?? item.code ?? "" });
  await remove("queue", key);
}

/** Send the oldest; returns whether there may be more. Throws when there is no way through. */
async function sendSome(most) {
  const entries = await first("queue", most);
  if (!entries.length || entries[0][1].path) {
    if (!entries.length) return false;
    const [key, entry] = entries[0];
    try {
      await settle(key, entry, await ask(here(entry.path), { ...entry.item, device_now: new Date().toISOString() }));
    } catch (problem) {
      if (!(problem instanceof Refused) || problem.isRevoked) throw problem;
      await settle(key, entry, { result: "refused", message: problem.message });
    }
    return true;
  }
  const end = entries.findIndex(([, entry]) => entry.path);
  const part = end < 0 ? entries : entries.slice(0, end);
  try {
    const waiting = Math.max(0, (await count("queue")) - part.length);
    const answer = await ask(here("checkins/batch"), {
      device_now: new Date().toISOString(), app_version: VERSION, pending: waiting, items: part.map(([, { item }]) => item),
    });
    for (const [n, result] of answer.results.entries()) await settle(...part[n], result);
    heard = Date.now();
    state.clockOffset = answer.clock_offset;
    if (answer.revoked) await revoked();
  } catch (problem) {
    if (!(problem instanceof Refused) || problem.isRevoked) throw problem;
    if (part.length > 1) return sendSome(1); // one of them cannot be read: it must not hold up the others
    await settle(...part[0], { result: "refused", message: problem.message });
  }
  return true;
}

/** Send all that waits, then fetch what changed; only one tab does it at a time. */
let running;
/** Send what waits and fetch who is new; who asks while it runs waits for the same run. */
const sync = () => running ??= synchronise().finally(() => { running = undefined; });

async function synchronise() {
  if (state.isRevoked || !known.event) return;
  const once = async (lock) => {
    if (!lock || state.busy) return;
    state.busy = true;
    clearTimeout(timer);
    try {
      while (await sendSome(BATCH)) await recount();
      if (Date.now() - heard > HEARTBEAT) await hello();
      if (!state.isRevoked) await refresh();
      wait = 500;
      set(true);
      later(15000);
    } catch (problem) {
      if (problem.isRevoked) await revoked();
      else {
        set(false);
        wait = Math.min(15000, wait * 2);
        later(wait * (0.7 + Math.random() * 0.6));
      }
    } finally {
      state.busy = false;
      await recount();
    }
  };
  await (navigator.locks ? navigator.locks.request("consult-desk-sync", { ifAvailable: true }, once) : once(true));
}

function later(milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(sync, milliseconds);
}

async function revoked() {
  if (!state.isRevoked) {
    state.isRevoked = true;
    await ask(here("checkins/batch"), { device_now: new Date().toISOString(), pending: 0, items: [] }).catch(() => {});
    await wipe();
  }
  changed();
  return { result: "revoked" };
}

/** Say that the device is here, with nothing to send. */
const hello = () => ask(here("checkins/batch"), { device_now: new Date().toISOString(), app_version: VERSION, pending: state.waiting, items: [] })
  .then((answer) => { heard = Date.now(); state.clockOffset = answer.clock_offset; changed(); return answer.revoked && revoked(); });

addEventListener("online", () => { set(true); sync(); });
addEventListener("offline", () => set(false));
document.addEventListener("visibilitychange", () => { if (!document.hidden) sync(); });

export { ask, here, onChange, pair, recount, register, scan, sign, state, sync, undo };
