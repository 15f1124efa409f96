// Words for messages that scripts show: they stand, translated, on <body data-text-...>.
export function text(key) {
  return document.body.dataset[`text${key[0].toUpperCase()}${key.slice(1)}`] ?? "";
}

export function say(words) {
  let region = document.getElementById("script-messages");
  if (!region) {
    region = document.createElement("div");
    region.id = "script-messages";
    region.className = "toast-region";
    region.setAttribute("role", "alert");
    document.body.append(region);
  }
  const message = document.createElement("p");
  message.className = "toast";
  message.textContent = words;
  region.replaceChildren(message);
  setTimeout(() => message.remove(), 10000);
}
