// What is typed is kept on the server too, so that another phone finds it. Of the device's words and the server's the newest stand in the
// form, the others are offered; a form that somebody is typing in is never touched.
import { drop, fill, kept, synced, tell } from "./drafts.js";
import { csrf } from "./common.js";

const WORDS = ["text", "proposed", "link"];
const words = (values) => WORDS.map((name) => (values?.[name] ?? "").trim());
const isEmpty = (values) => words(values).every((one) => !one);
const isPart = (part, whole) => words(part).every((one, n) => words(whole)[n].startsWith(one)); // only an earlier moment of the same

/** Of `local` ({at, values}) and `there` ({values, saved_at, now}): what should stand in the form, and what is offered beside it. */
function choose(local, there) {
  if (!there || isEmpty(there.values)) return { mine: local?.values, other: undefined };
  if (!local || isEmpty(local.values)) return { mine: there.values, other: undefined };
  const ahead = Date.parse(there.now) - (there.heard ?? Date.now()); // the device's clock may be wrong
  const [mine, other] = local.at + ahead >= Date.parse(there.saved_at) ? [local.values, there.values] : [there.values, local.values];
  return { mine, other: isPart(other, mine) ? undefined : other };
}

/** Offer `other` under the form, in the place of what stands in it; taking it offers what stood there. */
function offer(form, other, said, take, current) {
  form.querySelector(".draft-offer")?.remove();
  if (!other || isEmpty(other)) return;
  const place = document.createElement("div");
  place.className = "draft-offer notice notice--info";
  place.setAttribute("role", "status");
  const body = document.createElement("div");
  body.className = "notice__body";
  const [line, quote] = [document.createElement("p"), document.createElement("p")];
  line.textContent = said;
  quote.className = "draft-offer__words";
  quote.dir = "auto";
  quote.textContent = words(other).filter(Boolean).join(" · ").slice(0, 300);
  const button = Object.assign(document.createElement("button"), { type: "button", className: "button button--secondary", textContent: take });
  button.addEventListener("click", () => {
    const before = current();
    for (const name of WORDS) if (form.elements[name]) form.elements[name].value = "";
    fill(form, other);
    offer(form, before, said, take, current);
    form.elements.text.dispatchEvent(new Event("input", { bubbles: true }));
  });
  body.append(line, quote, button);
  place.append(document.createElement("span"), body);
  form.prepend(place);
}

/** Sends a moment after the last keystroke, every four seconds at most; what the network loses goes with the next. */
function keeper(address, values, told) {
  let timer;
  let last = 0;
  let typedAt = 0;
  let isBehind = false;
  async function send() {
    clearTimeout(timer);
    isBehind = false;
    const sentAt = (last = Date.now());
    try {
      const answer = await fetch(address(), { method: "POST", body: new URLSearchParams({ ...values(), age: Date.now() - typedAt }), headers: { "X-CSRFToken": csrf() }, redirect: "manual", keepalive: true });
      if (!answer.ok) throw new Error(answer.status);
      told(Boolean((await answer.json()).saved_at), sentAt);
    } catch { isBehind = true; told(false); }
  }
  const touch = () => { typedAt = Date.now(); isBehind = true; clearTimeout(timer); timer = setTimeout(send, Math.max(1200, 4000 - (Date.now() - last))); };
  const stop = () => { clearTimeout(timer); isBehind = false; };
  const flush = () => { if (isBehind) send(); };
  addEventListener("online", flush);
  addEventListener("pagehide", flush);
  return { touch, stop, flush };
}

for (const form of document.querySelectorAll("form[data-draft-server]")) {
  const said = form.dataset;
  const values = () => Object.fromEntries([...WORDS, "kind", "proposed_language", "client_key", "revision"].filter((name) => form.elements[name]).map((name) => [name, form.elements[name].value]));
  const server = keeper(() => said.draftServer, values, (isKept, sentAt) => {
    said.isOnServer = isKept ? "yes" : "";
    if (isKept) synced(said.draft, sentAt);
    if (!isEmpty(values())) tell(form, isKept ? said.textServer : said.draftKept);
  });
  if (!form.querySelector('[aria-invalid="true"]') && !document.querySelector(".error-summary")) {
    if (!said.draftThere && kept(said.draft)?.isSynced) drop(said.draft); // it was sent from another device
    const { mine, other } = choose(kept(said.draft), said.draftThere ? JSON.parse(said.draftThere) : null);
    if (mine && !isEmpty(mine)) {
      fill(form, mine);
      tell(form, said.draftThere ? said.textServer : said.draftKept);
      offer(form, other, said.textOther, said.textTake, values);
    }
  }
  form.addEventListener("input", server.touch);
  form.addEventListener("submit", server.stop);
}

export { choose, keeper, offer };
