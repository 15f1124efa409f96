// The review desk by keys, while the focus is inside it and no text is typed: j next, k previous, a accepted, p accepted in part,
// n not accepted. Enter, or Ctrl+Enter in the text, sends the answer; the next open comment comes without a reload.
import { onContent, say } from "./common.js";

const detail = () => document.querySelector(".review-desk__detail");

onContent(() => {
  const shown = detail();
  if (!shown || shown.tabIndex === -1 && shown.hasAttribute("tabindex")) return;
  shown.tabIndex = -1;
  document.querySelector(".review-list .is-chosen")?.scrollIntoView({ block: "nearest" });
  if (location.hash === "#chosen" && !document.querySelector("[data-focus]")) shown.focus({ preventScroll: true });
});

document.addEventListener("keydown", (event) => {
  const desk = event.target.closest?.(".review-desk");
  if (!desk) return;
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.closest("form[data-answer]");
    if (form) { event.preventDefault(); form.requestSubmit(form.querySelector("[type=submit]")); }
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("textarea, select, input:not([type=radio], [type=checkbox])")) return;
  if (event.key === "j" || event.key === "k") {
    const links = [...desk.querySelectorAll(".review-list__item > a")];
    const here = links.findIndex((link) => link.getAttribute("aria-current") === "true");
    return links[here + (event.key === "j" ? 1 : -1)]?.click();
  }
  const wanted = { a: "accepted", p: "accepted_in_part", n: "not_accepted" }[event.key];
  const choice = wanted && desk.querySelector(`form[data-answer] input[type="radio"][name="kind"][value="${wanted}"]`);
  if (!choice) return;
  event.preventDefault();
  choice.checked = true;
  choice.dispatchEvent(new Event("change", { bubbles: true }));
  (event.key === "a" ? choice : desk.querySelector('form[data-answer] textarea[name="response"]') ?? choice).focus();
});

const isAnswer = (event) => event.detail.requestConfig?.elt?.matches?.("form[data-answer]");

document.addEventListener("htmx:beforeSwap", (event) => {
  if (!isAnswer(event) || event.detail.serverResponse.includes('id="desk"')) return;
  event.detail.shouldSwap = false; // a refusal without the desk: what was typed stays where it is
  const words = new DOMParser().parseFromString(event.detail.serverResponse, "text/html").body.textContent.trim();
  if (words) say(words.replace(/\s+/g, " "), "danger");
});
document.addEventListener("htmx:afterSettle", (event) => {
  if (!isAnswer(event)) return;
  if (event.detail.xhr.status < 300) {
    history.replaceState(null, "", event.detail.xhr.responseURL);
    detail()?.focus({ preventScroll: true });
    if (detail()) detail().scrollTop = 0;
  } else document.querySelector("#desk [data-focus]")?.focus();
});
