// Before a form goes: ask where it must be asked, keep it here while there is no connection, send it once.
import { hush, say, text } from "./common.js";

const isPost = (form) => form.method === "post" || form.hasAttribute("data-hx-post");

function ask(words) {
  return new Promise((answer) => {
    const dialog = document.createElement("dialog");
    dialog.className = "dialog";
    dialog.setAttribute("aria-label", words);
    const question = document.createElement("p");
    question.textContent = words;
    const actions = document.createElement("form");
    actions.method = "dialog";
    actions.className = "dialog__actions";
    for (const [value, tone] of [["Yes", "primary"], ["No", "secondary"]]) {
      const button = document.createElement("button");
      button.value = value;
      button.className = `button button--${tone}`;
      button.textContent = text(value);
      actions.append(button);
    }
    dialog.append(question, actions);
    document.body.append(dialog);
    dialog.addEventListener("close", () => { dialog.remove(); answer(dialog.returnValue === "Yes"); });
    dialog.showModal();
  });
}

const agreed = new WeakSet();

// In the capture phase, so that it comes before htmx.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const hold = () => { event.preventDefault(); event.stopImmediatePropagation(); };
  if (form.method === "dialog") return;
  if (isPost(form) && form.hasAttribute("data-sending")) return hold();
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (question && !agreed.delete(form)) {
    hold();
    ask(question).then((yes) => {
      if (!yes) return event.submitter?.focus();
      // a page that follows a room may have made the button anew meanwhile
      const button = event.submitter?.isConnected ? event.submitter : document.getElementById(event.submitter?.id);
      if (event.submitter && !button) return;
      agreed.add(form);
      form.requestSubmit(button);
    });
    return;
  }
  if (isPost(form) && !navigator.onLine && !form.hasAttribute("data-queue")) { // a form with a queue of its own keeps what it cannot send
    hold();
    say(text("Offline"));
  }
}, true);

function sending(form, button, words) {
  form.setAttribute("data-sending", "");
  if (!button) return;
  button.classList.add("is-sending");
  button.setAttribute("aria-disabled", "true");
  const label = button.querySelector("span") ?? button;
  if (!words || label.closest("[data-keep-label]") || !label.textContent.trim()) return;
  label.dataset.label = label.textContent;
  label.textContent = words;
}

function ready(form) {
  form.removeAttribute("data-sending");
  for (const button of document.querySelectorAll(".is-sending")) {
    if (button.form !== form) continue;
    button.classList.remove("is-sending");
    button.removeAttribute("aria-disabled");
    const label = button.querySelector("[data-label]") ?? button;
    if (label.dataset.label) label.textContent = label.dataset.label;
    delete label.dataset.label;
  }
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || !isPost(form) || form.hasAttribute("data-hx-post")) return;
  setTimeout(() => sending(form, event.submitter, form.querySelector(".button") === null ? "" : text("Sending")));
  setTimeout(ready, 8000, form); // an answer that is a file leaves the page where it is
});

addEventListener("pageshow", (event) => { if (event.persisted) document.querySelectorAll("[data-sending]").forEach(ready); });
addEventListener("online", () => hush());

document.addEventListener("htmx:configRequest", (event) => {
  if (event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
});
document.addEventListener("htmx:beforeRequest", (event) => {
  const form = event.detail.elt;
  if (form instanceof HTMLFormElement && form.hasAttribute("data-hx-post")) sending(form, event.detail.requestConfig.triggeringEvent?.submitter);
});
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt instanceof HTMLFormElement) ready(event.detail.elt); });
document.addEventListener("htmx:sendError", () => say(text("Offline")));
document.addEventListener("htmx:timeout", () => say(text("Offline")));
document.addEventListener("htmx:responseError", () => say(text("Failed"), "danger"));

export { ask };
