// <button data-copy="words" data-copied="Copied" hidden>: shown only where copying works.
export function enhanceCopy(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    if (button.dataset.copyOn) continue;
    button.dataset.copyOn = "1";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      const words = button.querySelector("span") ?? button;
      const before = words.textContent;
      words.textContent = button.dataset.copied;
      setTimeout(() => { words.textContent = before; }, 2000);
    });
  }
}
