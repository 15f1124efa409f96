// A proposed wording begins as the text that stands: the button puts it into the field, and says in which language it is.
import { onContent, say, text } from "./common.js";
import { ask } from "./forms.js";

/** The texts by language: they stand beside the buttons, or are asked for where the page moves from indicator to indicator. */
async function textsOf(place) {
  if (!place.dataset.texts) return Object.fromEntries([...place.querySelectorAll("[data-words]")].map((one) => [one.dataset.startFrom, one.dataset.words]));
  const { code, revision } = place.closest("form").elements;
  const address = `${place.dataset.texts.replace("CODE", encodeURIComponent(code.value))}?revision=${encodeURIComponent(revision.value)}`;
  const answer = await fetch(address, { signal: AbortSignal.timeout(8000) });
  if (!answer.ok) throw new Error(answer.status);
  return (await answer.json()).texts;
}

document.addEventListener("click", async (event) => {
  const start = event.target.closest("[data-start-from]");
  if (!start) return;
  event.preventDefault();
  const place = start.closest("[data-wording]");
  const field = place.querySelector('textarea[name="proposed"]');
  let texts;
  try { texts = await textsOf(place); } catch { return say(text("Offline")); }
  const words = texts[start.dataset.startFrom] ?? Object.values(texts)[0] ?? "";
  if (field.value.trim() && !Object.values(texts).includes(field.value) && !(await ask(place.dataset.textReplace))) return;
  field.value = words;
  const language = place.querySelector('[name="proposed_language"]');
  if (language) language.value = start.dataset.startFrom;
  field.lang = start.dataset.startFrom;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.focus();
});

// A file that is too large is told of before it is sent, so that nothing typed has to be sent twice.
document.addEventListener("change", (event) => {
  const { mostBytes, textHeavy } = event.target.dataset ?? {};
  if (!mostBytes) return;
  const heavy = [...event.target.files].find((file) => file.size > Number(mostBytes));
  if (!heavy) return;
  event.target.value = "";
  say(textHeavy.replace("{name}", heavy.name));
});

// The accepted wording beside a text that is edited: the button puts it in, ticks that it is answered, and takes it out again.
onContent((root) => {
  root.querySelectorAll("[data-put][hidden]").forEach((button) => { button.hidden = !document.getElementById(button.dataset.put); });
  if (matchMedia("(min-width: 60rem)").matches) root.querySelectorAll("details[data-open-wide]").forEach((one) => { one.open = true; });
});

const put = new WeakMap(); // button -> what the field and the button said before, and what was put

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-put]");
  if (!button) return;
  const field = document.getElementById(button.dataset.put);
  const box = button.closest(".comment").querySelector('input[type="checkbox"]');
  const label = button.querySelector("span");
  const { words, back } = button.dataset;
  const earlier = put.get(button);
  if (earlier) {
    // what was typed since is not thrown away
    field.value = field.value === earlier.now ? earlier.before : field.value.replace(words, () => "");
    label.textContent = earlier.label;
    put.delete(button);
  } else {
    const now = "append" in button.dataset && field.value.trim() ? `${field.value.trimEnd()}\n\n${words}` : words;
    put.set(button, { before: field.value, now, label: label.textContent });
    field.value = now;
    label.textContent = back;
  }
  if (box) box.checked = !earlier;
  field.dispatchEvent(new Event("input", { bubbles: true }));
  field.scrollIntoView({ block: "center" });
  field.focus({ preventScroll: true });
});
