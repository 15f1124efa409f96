// The review desk by keys, at once, wherever the focus is as long as no text is typed: j next, k previous, a accepted, p accepted in
// part, n not accepted; all of the comment that is shown. Enter, or Ctrl+Enter in the text, sends the answer; the next open comment
// comes without a reload. While another comment is on its way no key decides.
import { isPhone, onContent, say } from "./common.js";

const detail = () => document.querySelector(".review-desk__detail");
let isBusy = false; // an answer was sent, or another comment was asked for: what is shown is not what comes

onContent(() => {
  const shown = detail();
  if (!shown || shown.tabIndex === -1 && shown.hasAttribute("tabindex")) return;
  shown.tabIndex = -1;
  document.querySelector(".review-list .is-chosen")?.scrollIntoView({ block: "nearest" });
  if (location.hash === "#chosen" && !document.querySelector("[data-focus]")) shown.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  const desk = document.querySelector(".review-desk");
  if (!desk) return;
  const typing = event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form[data-answer]");
    if (form) { event.preventDefault(); if (!isBusy) form.requestSubmit(form.querySelector("[type=submit]")); }
    return;
  }
  if (typing || event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.key === "j" || event.key === "k") {
    const links = [...desk.querySelectorAll(".review-list__item > a")];
    const here = links.findIndex((link) => link.getAttribute("aria-current") === "true");
    const link = isBusy ? undefined : links[here + (event.key === "j" ? 1 : -1)];
    if (link) { isBusy = true; link.click(); }
    return;
  }
  const wanted = { a: "accepted", p: "accepted_in_part", n: "not_accepted" }[event.key];
  const form = desk.querySelector("form[data-answer]");
  const choice = wanted && form?.querySelector(`input[type="radio"][name="kind"][value="${wanted}"]`);
  if (!choice) return;
  event.preventDefault();
  if (isBusy) return;
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  (event.key === "a" ? choice : form.querySelector('textarea[name="response"]') ?? choice).focus();
});
addEventListener("pageshow", () => { isBusy = false; });

const isAnswer = (event) => event.detail.requestConfig?.elt?.matches?.("form[data-answer]");

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isAnswer(event) || event.detail.serverResponse.includes('id="desk"')) return;
  event.detail.shouldSwap = false; // a refusal without the desk: what was typed stays where it is
  const words = new DOMParser().parseFromString(event.detail.serverResponse, "text/html").body.textContent.trim();
  if (words) say(words.replace(/\s+/g, " "), "danger");
});
document.addEventListener("htmx:beforeRequest", (event) => { if (event.detail.elt?.matches?.("form[data-answer]")) isBusy = true; });
for (const end of ["htmx:afterSettle", "htmx:sendError", "htmx:responseError", "htmx:swapError", "htmx:timeout"]) {
  document.addEventListener(end, () => { isBusy = false; });
}
document.addEventListener("htmx:afterRequest", (event) => { if (event.detail.elt?.matches?.("form[data-answer]") && !event.detail.successful) isBusy = false; });
document.addEventListener("htmx:afterSettle", (event) => {
  if (!isAnswer(event)) return;
  if (isPhone.matches) detail()?.scrollIntoView();
  if (event.detail.xhr.status < 300) {
    history.replaceState(null, "", event.detail.xhr.responseURL);
    detail()?.focus({ preventScroll: true });
    if (detail()) detail().scrollTop = 0;
  } else document.querySelector("#desk [data-focus]")?.focus();
});
