// Passkeys: [data-passkey-ask] asks one and sends its form; form[data-passkey-make] makes one first. On pages that need it.
const toBytes = (words) => Uint8Array.from(atob(words.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
const toWords = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const known = (list) => (list ?? []).map((item) => ({ ...item, id: toBytes(item.id) }));

async function optionsFor(form, address) {
  const answer = await fetch(address, { method: "POST", body: new FormData(form), headers: { Accept: "application/json" } });
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  const told = isJson ? await answer.json() : {};
  if (!answer.ok || !isJson) throw new Error(told.message ?? "");
  return told;
}

function plain(credential, response) {
  return JSON.stringify({ id: credential.id, rawId: toWords(credential.rawId), type: credential.type, response, clientExtensionResults: {} });
}

async function ask(options) {
  const publicKey = { ...options, challenge: toBytes(options.challenge), allowCredentials: known(options.allowCredentials) };
  const found = await navigator.credentials.get({ publicKey });
  const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
  return plain(found, {
    clientDataJSON: toWords(clientDataJSON), authenticatorData: toWords(authenticatorData), signature: toWords(signature),
    userHandle: userHandle ? toWords(userHandle) : null,
  });
}

async function make(options) {
  const publicKey = {
    ...options, challenge: toBytes(options.challenge), user: { ...options.user, id: toBytes(options.user.id) },
    excludeCredentials: known(options.excludeCredentials),
  };
  const made = await navigator.credentials.create({ publicKey });
  const { clientDataJSON, attestationObject } = made.response;
  return plain(made, {
    clientDataJSON: toWords(clientDataJSON), attestationObject: toWords(attestationObject), transports: made.response.getTransports?.() ?? [],
  });
}

/** Run it once at a time; a refusal of ours is told in its own words, one of the browser in the page's. */
async function run(place, act) {
  const problem = place.querySelector("[role=alert].field__error");
  problem.hidden = true;
  if (place.hasAttribute("data-busy")) return;
  place.setAttribute("data-busy", "");
  try {
    await act();
  } catch (error) {
    problem.textContent = error.constructor === Error && error.message ? error.message : place.dataset.failed;
    problem.hidden = false;
  } finally {
    place.removeAttribute("data-busy");
  }
}

if (window.PublicKeyCredential) {
  for (const place of document.querySelectorAll("[data-passkey-ask]")) {
    const button = place.querySelector("button"), form = place.closest("form"), field = form.querySelector("[name=assertion]");
    place.hidden = false;
    button.addEventListener("click", () => run(place, async () => {
      field.value = await ask(await optionsFor(form, place.dataset.passkeyAsk));
      form.requestSubmit();
    }));
  }
  for (const form of document.querySelectorAll("form[data-passkey-make]")) {
    const field = form.querySelector("[name=credential]");
    form.addEventListener("submit", (event) => {
      if (field.value || !form.elements.namedItem("name").value.trim()) return; // made already; or the server says what is missing
      event.preventDefault();
      run(form, async () => {
        field.value = await make(await optionsFor(form, form.dataset.passkeyMake));
        form.requestSubmit();
      });
    });
  }
}
