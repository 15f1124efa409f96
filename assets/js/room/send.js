// What the pages of a room send by themselves.
const csrf = () => document.querySelector('meta[name="csrf-token"]').content;

/** POST values as a form would; the answer tells by its status what became of it. */
function post(address, values, more = {}) {
  const headers = { "X-CSRFToken": csrf(), "X-Requested-With": "fetch", Accept: "application/json" };
  return fetch(address, { method: "POST", body: new URLSearchParams(values), headers, redirect: "manual", signal: AbortSignal.timeout(10000), ...more });
}

/** Why something was refused, in the words of the answer. */
async function why(answer) {
  if (answer.headers.get("Content-Type")?.includes("json")) return (await answer.json()).errors.join(" ");
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const listed = [...page.querySelectorAll(".error-summary li")].map((one) => one.textContent.trim());
  return listed.length ? listed.join(" ") : page.querySelector("main p, .notice__body p")?.textContent ?? "";
}

const fill = (words, values) => words.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
const uuid = () => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");

export { csrf, fill, post, uuid, why };
