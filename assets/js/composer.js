// On a phone the composer waits folded at the foot of the screen; it opens in its own place, and then covers nothing.
import { isPhone } from "./common.js";

const composer = document.querySelector(".composer");
const title = composer?.querySelector("h2");
if (title) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "composer__toggle";
  button.append(...title.childNodes);

  const isEmpty = () => [...composer.querySelectorAll("textarea, input[type='text'], input[type='url'], input:not([type])")].every((field) => !field.value);
  const fold = (folded) => {
    composer.classList.toggle("is-folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
  };
  const fit = () => {
    if (isPhone.matches) title.replaceChildren(button);
    else if (button.isConnected) title.replaceChildren(...button.childNodes);
    if (isPhone.matches && !button.childNodes.length) button.append(...title.childNodes);
    fold(isPhone.matches && isEmpty() && !composer.querySelector(".error-summary") && !composer.contains(document.activeElement));
  };
  button.addEventListener("click", () => {
    const opens = composer.classList.contains("is-folded");
    fold(!opens);
    if (!opens) return;
    composer.scrollIntoView({ block: "start", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    button.focus({ preventScroll: true });
  });
  fit();
  isPhone.addEventListener("change", fit);
}
