// The facilitator's console: buttons and forms act in place, so that nothing half typed is lost, here or on a second device.
import { say, text } from "../common.js";
import { csrf, post, uuid, why } from "./send.js";

const HERE = 15000;

export function console_(room, following) {
  const address = room.dataset.hereUrl;
  if (!address) return;
  const record = room.querySelector("[data-record]");
  const holding = room.querySelector("#hold-back");
  const notes = room.querySelector("[data-notes-form]");

  // -- who else is here --
  const here = room.querySelector("[data-here]");
  const visit = async () => {
    try {
      const answer = await post(address, {});
      if (answer.ok) here.textContent = (await answer.text()).trim();
      else if (answer.type === "opaqueredirect") location.reload(); // signed out
    } catch { /* the line says so */ }
  };
  visit();
  setInterval(() => { if (!document.hidden) visit(); }, HERE);
  addEventListener("pagehide", () => navigator.sendBeacon(address, new URLSearchParams({ left: 1, csrf_token: csrf() })));

  // -- forms that act in place --
  async function send(form, submitter) {
    const values = new URLSearchParams(new FormData(form));
    if (submitter?.name) values.set(submitter.name, submitter.value);
    try {
      const answer = await post(form.action, values);
      if (answer.ok) done(form);
      else if ([409, 422].includes(answer.status)) say(await why(answer), "danger");
      else if (answer.type === "opaqueredirect") location.reload();
      else say(text("Failed"), "danger");
    } catch { say(text("Offline")); }
    following.poll();
  }
  function done(form) {
    if (form === record) {
      for (const name of ["text", "proposed", "link"]) form.elements[name].value = "";
      form.elements.client_key.value = uuid();
      try { localStorage.removeItem(`draft:${form.dataset.draft}`); } catch { /* a browser that keeps nothing */ }
      say(form.dataset.textDone, "success");
      follows();
    } else if (holding.contains(form)) {
      form.reset();
      holding.hidden = true;
    }
  }
  for (const form of document.querySelectorAll("form[data-by-script]")) {
    form.addEventListener("submit", (event) => { event.preventDefault(); send(form, event.submitter); });
  }

  // -- one tap from a raised hand, or from the queue, to the form that is meant --
  following.place.addEventListener("click", (event) => {
    const link = event.target.closest("[data-speaker], [data-hold]");
    if (!link) return;
    const target = link.dataset.hold ? holding : record?.closest("section");
    if (!target) return;
    event.preventDefault();
    target.hidden = false;
    if (link.dataset.hold) {
      const form = target.querySelector("form");
      form.elements.comment.value = link.dataset.hold;
      target.querySelector("[data-hold-name]").textContent = link.dataset.name;
      form.elements.reason.focus();
    } else {
      const people = record.elements.speaker;
      if (![...people.options].some((one) => one.value === link.dataset.speaker)) people.add(new Option(link.dataset.name, link.dataset.speaker));
      people.value = link.dataset.speaker;
      record.elements.text.focus();
    }
    target.scrollIntoView({ block: "start" });
  });
  holding.querySelector(".button--quiet")?.addEventListener("click", (event) => { event.preventDefault(); holding.hidden = true; });
  document.addEventListener("htmx:afterSwap", (event) => { if (event.target.id === "speaker") event.target.selectedIndex = 0; });

  // -- what follows the room by itself, unless somebody is at it --
  function follows() {
    const { code, section, revision } = following.shown();
    const goTo = room.querySelector("[data-follows]");
    if (code && goTo && document.activeElement !== goTo) goTo.value = code;
    if (!code || !record || record.elements.text.value.trim()) return;
    record.elements.code.value = code;
    for (const field of record.querySelectorAll('[name="revision"]')) if (field.dataset.section === section) field.value = revision;
  }
  const field = notes.elements.notes;
  let kept = field.defaultValue;
  function keepUp() {
    const number = following.shown().notes;
    if (number === undefined || number === notes.elements.number.value) return;
    const newer = room.querySelector("[data-kept-notes]")?.textContent ?? "";
    if (field.value !== kept && field.value !== newer) notes.querySelector("[data-notes-changed]").hidden = false;
    else {
      field.value = kept = newer;
      notes.elements.number.value = number;
    }
  }
  // what was half typed on older notes, before the page was loaded anew: it is kept on those, and both are shown
  const [start, number] = notes.dataset.draft.split(/(?<=-)(?=\d+$)/);
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(`draft:${start}`) || key === `draft:${start}${number}`) continue;
      const words = JSON.parse(localStorage.getItem(key)).values?.notes;
      localStorage.removeItem(key);
      if (!words || words === field.value || document.querySelector(".error-summary")) continue;
      field.value = words;
      notes.elements.number.value = key.slice(`draft:${start}`.length);
      notes.querySelector("[data-notes-changed]").hidden = false;
    }
  } catch { /* a browser that keeps nothing */ }
  document.addEventListener("room:changed", () => { follows(); keepUp(); });
}
