// The desk: a scanner types into the code field, again and again; the answer fills the screen for four seconds, then stays as a line.
const form = document.querySelector("form[data-scan]");
if (form) {
  const code = form.querySelector('input[name="code"]');
  const answer = document.getElementById("answer");
  const isTyping = () => document.activeElement?.matches("input, textarea, select, summary, [open] *");
  let timer;

  const close = () => {
    clearTimeout(timer);
    answer?.querySelector("[data-scan-answer]")?.classList.add("is-small");
    if (!isTyping()) code.focus();
  };
  const show = () => {
    clearTimeout(timer);
    if (answer?.querySelector("[data-scan-answer]")) timer = setTimeout(close, 4000);
  };
  form.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.elt !== form || !event.detail.successful) return;
    code.value = "";
    code.focus();
  });
  document.addEventListener("htmx:afterSettle", (event) => { if (event.detail.target === answer) show(); });
  answer?.addEventListener("click", close);
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") close(); });
  document.addEventListener("focusout", () => setTimeout(() => { if (document.activeElement === document.body) code.focus(); }, 150));
  code.focus();
  show();
}
