// Small manners of a page: where the focus goes, what closes, copies, opens, and takes a dropped file.
import { onContent, say } from "./common.js";

document.documentElement.classList.add("js");

onContent((root) => {
  if (navigator.clipboard) root.querySelectorAll("[data-copy][hidden]").forEach((button) => { button.hidden = false; });
  root.querySelectorAll("[data-drop]:not(.is-ready)").forEach((zone) => {
    zone.classList.add("is-ready");
    if (!zone.dataset.dropText) return;
    const words = document.createElement("p");
    words.className = "drop__text";
    words.textContent = zone.dataset.dropText;
    zone.append(words);
  });
  root.querySelector("[data-focus]")?.focus();
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) {
    await navigator.clipboard.writeText(button.dataset.copy);
    const label = button.querySelector("span") ?? button;
    const words = label.textContent;
    label.textContent = button.dataset.copied;
    setTimeout(() => { label.textContent = words; }, 2000);
  }
  for (const menu of document.querySelectorAll("details[data-menu][open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details[data-menu][open]");
  if (!menu) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  document.addEventListener(kind, (event) => {
    const zone = event.target.closest?.("[data-drop]");
    if (!zone || !event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    zone.classList.toggle("is-over", kind === "dragenter" || kind === "dragover");
    const input = zone.querySelector('input[type="file"]');
    if (kind !== "drop" || !input || !event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  });
}

// The personal link carries its token behind the #, where no server and no log sees it: it goes by POST, and leaves the address.
const opener = document.querySelector("form[data-fragment-token]");
const token = location.hash.slice(1);
if (opener && token) {
  history.replaceState(null, "", location.pathname + location.search);
  const input = opener.querySelector('[name="token"]');
  if (input && !input.value) {
    input.value = decodeURIComponent(token);
    opener.requestSubmit();
  }
}

// A page that opens further down (#comments) has its message above the screen: say it where the eyes are.
addEventListener("load", () => setTimeout(() => {
  const message = location.hash && document.querySelector(".flashes > .notice");
  if (!message || message.getBoundingClientRect().bottom > 0) return;
  say(message.textContent.trim(), [...message.classList].find((name) => name.startsWith("notice--")).slice(8));
}, 100));
