// form[data-draft="key"]: what is written is kept on this device at each keystroke, until the server has it.
import { onContent } from "./common.js";

const STORE = "draft:";
const SENT = "draft-sent";
const WEEK = 7 * 24 * 3600 * 1000;
const SKIPPED = new Set(["hidden", "password", "file", "submit", "button"]);

let store;
try { store = localStorage; } catch { /* a browser that keeps nothing */ }

const fields = (form) => [...form.elements].filter((field) => field.name && field.name !== "holds" && !SKIPPED.has(field.type));
const isTick = (field) => field.type === "radio" || field.type === "checkbox";
const isUntouched = (field) => {
  if (isTick(field)) return field.checked === field.defaultChecked;
  if (field.options) return [...field.options].every((o) => o.selected === o.defaultSelected) || field.selectedIndex <= 0;
  return field.value === field.defaultValue;
};

/** What is kept under a key: { at, values }, or null. */
function kept(key) {
  try {
    const draft = JSON.parse(store?.getItem(STORE + key) ?? "null");
    return draft && Date.now() - draft.at < WEEK ? draft : null;
  } catch { return null; }
}

/** The server has what is kept here, as of a moment: if it is gone there one day, it was sent from another device. */
function synced(key, sentAt) {
  const draft = kept(key);
  if (draft && draft.at <= sentAt) try { store.setItem(STORE + key, JSON.stringify({ ...draft, isSynced: true })); } catch { /* as below */ }
}

function drop(key) { store?.removeItem(STORE + key); }

function dropAll() {
  for (const key of Object.keys(store ?? {})) if (key.startsWith(STORE)) store.removeItem(key);
}

function tell(form, words = form.dataset.draftKept ?? document.body.dataset.textKept) {
  if (!words) return;
  let state = form.querySelector(".draft-state");
  if (!state) {
    state = document.createElement("span");
    state.className = "draft-state";
    state.setAttribute("role", "status");
    (form.querySelector(".form-actions") ?? form).append(state);
  }
  if (state.textContent !== words) state.textContent = words;
}

/** The revision that what stands in a form was written on; the form says so where that is not the one that is shown. */
function isOf(form, revision) {
  const now = form.dataset.revision;
  if (form.elements.revision?.type === "hidden") form.elements.revision.value = revision;
  if (now === undefined) return;
  const note = form.querySelector("[data-earlier]");
  note.hidden = revision === now;
  note.querySelector("input").checked = false;
}
const isBlank = (form) => fields(form).every((field) => isTick(field) ? !field.checked : field.options || !field.value.trim());

function keep(form) {
  if (form.dataset.revision !== undefined && isBlank(form)) isOf(form, form.dataset.revision);
  const values = {};
  for (const field of fields(form)) {
    if (isTick(field)) { (values[field.name] ??= []); if (field.checked) values[field.name].push(field.value); }
    else if (field.value) values[field.name] = field.value;
  }
  if (form.dataset.revision !== undefined) values.revision = form.elements.revision.value;
  try {
    store.setItem(STORE + form.dataset.draft, JSON.stringify({ at: Date.now(), values }));
    if (!form.dataset.isOnServer) tell(form);
  } catch { /* full, or forbidden: the page works on */ }
}

function restore(form) {
  const values = kept(form.dataset.draft)?.values;
  if (!values || form.dataset.draftServer || form.querySelector('[aria-invalid="true"], .field--wrong') || document.querySelector(".error-summary")) return;
  let changed = false;
  const written = fields(form).some((field) => !isTick(field) && !field.options && field.value.trim()); // by the server, of its own revision
  for (const field of fields(form)) {
    const value = values[field.name];
    if (value === undefined || !isUntouched(field)) continue;
    if (isTick(field)) {
      const wanted = value.includes(field.value);
      if (field.checked !== wanted && (field.type === "checkbox" || wanted)) { field.checked = wanted; changed = true; }
    } else if (field.value !== value) {
      field.value = value;
      changed = true;
      const fold = field.closest("details");
      if (fold && form.contains(fold)) fold.open = true;
    }
  }
  if (!changed) return;
  if (!written) isOf(form, values.revision ?? "");
  tell(form);
}

// The page after a form was sent: drop what the server took, keep what it refused or never saw.
const refused = ".error-summary, .notice--danger, .empty--page, input[type='password'], form[data-fragment-token]";
try {
  const sent = sessionStorage.getItem(SENT);
  sessionStorage.removeItem(SENT);
  if (sent && !document.querySelector(refused) && (document.querySelector(".notice--success") || !document.querySelector(`form[data-draft="${CSS.escape(sent)}"]`))) drop(sent);
} catch { /* as above */ }

onContent((root) => root.querySelectorAll("form[data-draft]").forEach(restore));

for (const kind of ["input", "change"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.form;
    if (!form?.dataset.draft || SKIPPED.has(event.target.type) || event.target.name === "holds") return;
    if (event.target.type === "radio" && event.isTrusted && form.dataset.revision !== undefined) isOf(form, form.dataset.revision); // chosen now
    keep(form);
  });
}
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const form = event.target;
  if (new URL(form.action, location.href).pathname.endsWith("/sign-out")) return dropAll(); // the next person on a shared device
  if (!form.dataset.draft || form.hasAttribute("data-hx-post")) return;
  keep(form);
  try { sessionStorage.setItem(SENT, form.dataset.draft); } catch { /* as above */ }
});
document.addEventListener("htmx:afterRequest", (event) => {
  const key = event.detail.elt?.dataset?.draft;
  if (key && event.detail.successful && event.detail.xhr.status < 300) drop(key);
});

/** Put values into the fields that a form has for them. */
function fill(form, values) {
  isOf(form, values.revision ?? "");
  for (const [name, value] of Object.entries(values)) {
    const field = form.elements[name];
    if (!field || field.type === undefined || SKIPPED.has(field.type)) continue;
    field.value = value;
    const fold = value && !field.options && field.closest("details");
    if (fold && form.contains(fold)) fold.open = true;
  }
}

export { drop, fill, kept, synced, tell };
