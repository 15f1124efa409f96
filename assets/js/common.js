const text = (name) => document.body.dataset[`text${name}`] ?? "";

let shown;

/** Say something over the page, once, until it is replaced, taken back, or ten seconds have gone. */
function say(words, tone = "warning") {
  hush();
  shown = document.createElement("div");
  shown.className = `toast notice notice--${tone}`;
  shown.setAttribute("role", "alert");
  const body = document.createElement("p");
  body.className = "notice__body";
  body.textContent = words;
  shown.append(document.createElement("span"), body);
  document.body.append(shown);
  setTimeout(hush, 10000, shown);
}

function hush(which = shown) {
  which?.remove();
  if (which === shown) shown = undefined;
}

/** Run `start` for the page, and again for whatever htmx puts into it. */
function onContent(start) {
  start(document);
  document.addEventListener("htmx:afterSettle", (event) => start(event.target.parentElement ?? document));
}

const csrf = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";
const isPhone = matchMedia("(max-width: 37.5rem)");

export { csrf, hush, isPhone, onContent, say, text };
