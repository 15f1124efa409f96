// The guests as this device knows them, and what it can say of a scan without the server (product.md rules 7 and 8).
import { get, put } from "./store.js";

let byId = new Map();
let byCode = new Map();
const known = { asOf: null, cursor: "", count: 0, event: null };

function index(guests) {
  byId = new Map(guests.map((guest) => [guest.id, guest]));
  byCode = new Map(guests.map((guest) => [guest.code, guest]));
  known.count = guests.filter((guest) => guest.state === "confirmed").length;
}

async function load() {
  const kept = (await get("guests")) ?? { guests: [], asOf: null, cursor: "" };
  known.event = await get("event");
  known.asOf = kept.asOf;
  known.cursor = kept.cursor;
  index(kept.guests);
}

/** Take what the server sent: all of them, or those that changed. */
async function take(answer) {
  const merged = answer.full ? new Map() : byId;
  for (const guest of answer.guests) merged.set(guest.id, guest);
  index([...merged.values()]);
  known.asOf = new Date().toISOString();
  known.cursor = answer.cursor;
  await put({ guests: { guests: [...merged.values()], asOf: known.asOf, cursor: known.cursor } });
}

const normal = (typed) => [...typed.toUpperCase()].filter((c) => /[\p{L}\p{N}]/u.test(c)).join("").slice(0, 64);
const fold = (words) => words.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase();
const dayOf = (moment) => new Intl.DateTimeFormat("en-CA", { timeZone: known.event.timezone }).format(moment);

async function byTicket(code) {
  const hash = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(normal(code)));
  return byCode.get([...new Uint8Array(hash)].map((byte) => byte.toString(16).padStart(2, "0")).join("").slice(0, 32));
}

const STATES = { waiting: "waiting_list", pending: "waiting_list", cancelled: "cancelled", replaced: "cancelled", refused: "cancelled" };

/** The result that this device can give by itself, and the guest; an entry or exit is remembered at once. */
async function judge(item) {
  const guest = item.guest ? byId.get(item.guest) : await byTicket(item.code);
  if (!guest) return { result: "unknown" };
  const about = { id: guest.id, name: guest.name, institution: guest.institution, type: guest.type };
  const day = dayOf(new Date(item.scanned_at));
  const session = known.event.lists.find((list) => list.id && list.id === item.list);
  if (STATES[guest.state]) return { result: STATES[guest.state], guest: about };
  const isWrong = !known.event.days.includes(day) || (guest.days.length && !guest.days.includes(day)) || (session && session.day !== day);
  if (isWrong) return { result: "wrong_day", guest: about };
  const place = item.list || day;
  const before = guest.in[place];
  const isEntry = item.type !== "exit";
  if (before ? before.inside === isEntry : !isEntry) return { result: isEntry || before ? "already" : "ok", guest: about, at: before?.at };
  guest.in[place] = { at: before?.at ?? item.scanned_at, inside: isEntry };
  return { result: "ok", guest: about, at: item.scanned_at };
}

/** A check-in was undone: the person may come in again. */
function forget(id, place) {
  if (byId.has(id)) delete byId.get(id).in[place];
}

/** Guests with a place whose name or institution has all the words. */
function search(words, most = 12) {
  const wanted = fold(words).split(/\s+/).filter(Boolean);
  if (wanted.join("").length < 2) return [];
  const found = [];
  for (const guest of byId.values()) {
    if (guest.state !== "confirmed") continue;
    guest.folded ??= fold(`${guest.name} ${guest.institution}`);
    if (wanted.every((word) => guest.folded.includes(word))) found.push(guest);
    if (found.length === most) break;
  }
  return found;
}

const isInside = (guest, list) => Boolean(guest.in[list || dayOf(new Date())]?.inside);

export { byTicket, dayOf, forget, isInside, judge, known, load, search, take };
