// On a phone the composer waits folded at the foot of the screen; it opens in its own place, and then covers nothing.
import { isPhone } from "./common.js";

const composer = document.querySelector(".composer");
const title = composer?.querySelector("h2");
if (title) {
  const words = document.createElement("span");
  words.append(...title.childNodes);
  const button = document.createElement("button");
  button.type = "button";
  button.className = "composer__toggle";

  const isEmpty = () => [...composer.querySelectorAll("textarea, input[type='text'], input[type='url']")].every((field) => !field.value);
  const fold = (folded) => {
    composer.classList.toggle("is-folded", folded);
    button.setAttribute("aria-expanded", String(!folded));
  };
  const fit = () => {
    if (isPhone.matches) { button.append(words); title.replaceChildren(button); } else title.replaceChildren(words);
    fold(isPhone.matches && isEmpty() && !composer.querySelector(".error-summary") && !composer.contains(document.activeElement));
  };
  button.addEventListener("click", () => {
    const opens = composer.classList.contains("is-folded");
    fold(!opens);
    if (opens) composer.scrollIntoView({ block: "start" });
  });
  fit();
  isPhone.addEventListener("change", fit);
}
