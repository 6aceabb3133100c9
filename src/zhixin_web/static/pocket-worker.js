// Serves the pocket without a signal. VERSION and KEPT stand before this text; a new version waits until the page lets it in.
"use strict";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => Promise.all(KEPT.map(async (address) => {
    const answer = await fetch(address, { cache: "reload" });
    if (answer.ok && !answer.redirected) await cache.put(address, answer);  // a page for signing in is not kept
    else throw new Error(address);
  }))));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(caches.keys()
    .then((names) => Promise.all(names.filter((name) => name !== VERSION).map((name) => caches.delete(name))))
    .then(() => self.clients.claim()));
});

self.addEventListener("message", (event) => {
  if (event.data === "let in") self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  if (event.request.method !== "GET" || address.origin !== location.origin) return;
  if (event.request.mode === "navigate" && address.pathname === "/m/") event.respondWith(shell(event.request));
  else if (KEPT.includes(address.pathname) && address.pathname !== "/m/") event.respondWith(kept(event.request));
});

// The page from the network while it answers within three seconds; else as it was kept.
async function shell(request) {
  const cache = await caches.open(VERSION), held = await cache.match("/m/");
  const late = new Promise((resolve) => setTimeout(resolve, 3000, null));
  const fresh = fetch(request).catch(() => null);
  const answer = await (held ? Promise.race([fresh, late]) : fresh);
  return answer && answer.status < 500 ? answer : held || Response.error();
}

async function kept(request) {
  const cache = await caches.open(VERSION);
  return (await cache.match(request, { ignoreSearch: true })) || fetch(request);
}
