// Keeps the desk's page and its files, so that it opens without a network. No data passes through here.
const FILES = {{ files|tojson }};
const SHELL = {{ page|tojson }};
const NAME = `desk:${FILES.join()}`;

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(NAME).then((cache) => cache.addAll([SHELL, ...FILES])).then(() => self.skipWaiting()));
});
self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((name) => name !== NAME).map((name) => caches.delete(name)))).then(() => self.clients.claim()));
});

async function newest(request) {
  const cache = await caches.open(NAME);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(3000) });
    if (answer.ok) {
      await cache.put(SHELL, answer.clone());
      return answer;
    }
  } catch { /* no network, or a slow one */ }
  return (await cache.match(SHELL)) ?? Response.error();
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.mode === "navigate" && address.pathname === SHELL) event.respondWith(newest(event.request));
  else if (FILES.includes(address.pathname)) event.respondWith(caches.match(address.pathname).then((kept) => kept ?? fetch(event.request)));
});
