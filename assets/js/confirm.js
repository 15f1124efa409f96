// <form data-confirm="words"> and <button data-confirm="words">: ask in a <dialog> before the form goes.
import { text } from "./text.js";

function ask(words, tone) {
  const dialog = document.createElement("dialog");
  dialog.className = "confirm";
  const question = document.createElement("p");
  question.textContent = words;
  question.id = "confirm-words";
  dialog.setAttribute("aria-labelledby", question.id);
  const buttons = document.createElement("form");
  buttons.method = "dialog";
  buttons.className = "form-actions";
  for (const [value, label, look] of [["yes", text("yes"), tone], ["no", text("no"), "quiet"]]) {
    const button = document.createElement("button");
    button.value = value;
    button.textContent = label;
    button.className = `button button--${look}`;
    buttons.append(button);
  }
  dialog.append(question, buttons);
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
  });
}

export function enhanceConfirm() {
  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const words = event.submitter?.dataset.confirm ?? form.dataset.confirm;
      if (!words || form.dataset.confirmed) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      const submitter = event.submitter;
      const tone = submitter?.classList.contains("button--danger") ? "danger" : "primary";
      ask(words, tone).then((yes) => {
        if (!yes) return submitter?.focus();
        form.dataset.confirmed = "1";
        form.requestSubmit(submitter);
        delete form.dataset.confirmed;
      });
    },
    true,
  );
}
