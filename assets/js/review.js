// The review desk by keys, while the focus is inside it and not in a field: j next, k previous, a accepted, p accepted in part, n not accepted.
const desk = document.querySelector(".review-desk");
if (desk) {
  const detail = desk.querySelector(".review-desk__detail");
  if (detail) {
    detail.tabIndex = -1;
    if (location.hash === "#chosen" && !document.querySelector("[data-focus]")) detail.focus({ preventScroll: true });
    desk.querySelector(".is-chosen")?.scrollIntoView({ block: "nearest" });
  }
  const links = [...desk.querySelectorAll(".review-list__item > a")];
  desk.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
    const here = links.findIndex((link) => link.getAttribute("aria-current") === "true");
    if (event.key === "j" || event.key === "k") return links[here + (event.key === "j" ? 1 : -1)]?.click();
    const kinds = [...desk.querySelectorAll('.review-desk__detail input[type="radio"][name="kind"]')];
    const wanted = { a: /^accepted$/, p: /^accepted_in_part$/, n: /^not_accepted$/ }[event.key];
    const choice = wanted && kinds.find((input) => wanted.test(input.value));
    if (!choice) return;
    event.preventDefault();
    choice.checked = true;
    choice.dispatchEvent(new Event("change", { bubbles: true }));
    (event.key === "a" ? choice : desk.querySelector('textarea[name="response"]') ?? choice).focus();
  });
}
