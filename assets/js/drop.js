// <div data-drop><input type=file></div>: a larger place to drop a file; the input stays what it is.
export function enhanceDrops(root) {
  for (const zone of root.querySelectorAll("[data-drop]")) {
    const input = zone.querySelector("input[type=file]");
    if (!input || zone.dataset.dropOn) continue;
    zone.dataset.dropOn = "1";
    const hint = document.createElement("span");
    hint.className = "drop__hint";
    hint.textContent = zone.dataset.dropText ?? "";
    zone.append(hint);
    zone.addEventListener("dragover", (event) => { event.preventDefault(); zone.classList.add("is-over"); });
    zone.addEventListener("dragleave", () => zone.classList.remove("is-over"));
    zone.addEventListener("drop", (event) => {
      event.preventDefault();
      zone.classList.remove("is-over");
      if (!event.dataTransfer.files.length) return;
      input.files = event.dataTransfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    });
  }
}
