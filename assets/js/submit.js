// A form goes once; what htmx sends carries the CSRF token; a failure is told, and takes nothing away.
import { say, text } from "./text.js";

export function guardSubmits() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method === "dialog" || form.method === "get" || form.hasAttribute("hx-post")) return;
    if (form.dataset.sending) {
      event.preventDefault();
      return;
    }
    form.dataset.sending = "1";
    // Only after this turn: a disabled button would not send its own name and value.
    setTimeout(() => {
      for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
      const words = event.submitter?.querySelector("span");
      if (words && text("sending")) {
        words.dataset.words = words.textContent;
        words.textContent = text("sending");
      }
    });
  });
  // Back from the next page: the browser shows this one as it was left.
  window.addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    for (const form of document.querySelectorAll("form[data-sending]")) {
      delete form.dataset.sending;
      for (const button of form.querySelectorAll("[aria-disabled]")) button.removeAttribute("aria-disabled");
      for (const words of form.querySelectorAll("[data-words]")) words.textContent = words.dataset.words;
    }
  });
}

export function guardRequests() {
  const token = document.querySelector("meta[name=csrf-token]")?.content;
  document.addEventListener("htmx:configRequest", (event) => {
    if (token && event.detail.verb !== "get") event.detail.headers["X-CSRFToken"] = token;
  });
  document.addEventListener("htmx:beforeRequest", (event) => {
    const form = event.target.closest?.("form");
    if (!form || event.detail.requestConfig.verb === "get") return;
    for (const button of form.querySelectorAll("button[type=submit]")) button.setAttribute("aria-disabled", "true");
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const form = event.target.closest?.("form");
    for (const button of form?.querySelectorAll("button[aria-disabled]") ?? []) button.removeAttribute("aria-disabled");
  });
  document.addEventListener("htmx:sendError", () => say(text("offline")));
  document.addEventListener("htmx:responseError", () => say(text("failed")));
}
