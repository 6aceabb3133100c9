// Serves the pocket without a signal. VERSION and KEPT stand before this text. What is served changes only when the page lets a new
// version in, which it does when nothing is unsent: a browser may start this worker at any time, drafts or not.
"use strict";

const CURRENT = "pocket-current";

async function current() {
  const said = await (await caches.open(CURRENT)).match("/current");
  const name = said ? await said.text() : "";
  if (name && (await isWhole(name))) return name;
  await serve(VERSION);
  return VERSION;
}
async function serve(name) {
  await (await caches.open(CURRENT)).put("/current", new Response(name));
}
async function isWhole(name) {
  return (await caches.has(name)) && Boolean(await (await caches.open(name)).match("/m/"));
}
async function fill() {
  const cache = await caches.open(VERSION);
  await Promise.all(KEPT.map(async (address) => {
    const answer = await fetch(address, { cache: "reload" });
    if (answer.ok && !answer.redirected) await cache.put(address, answer);  // a page for signing in is not kept
    else throw new Error(address);
  }));
}

self.addEventListener("install", (event) => event.waitUntil(fill()));

// Only the newest version that has taken over throws others away, and never while a newer one is being kept.
self.addEventListener("activate", (event) => event.waitUntil((async () => {
  const served = await current();
  if (!self.registration.installing && !self.registration.waiting)
    await Promise.all((await caches.keys()).filter((name) => ![VERSION, CURRENT, served].includes(name)).map((name) => caches.delete(name)));
  await self.clients.claim();
})()));

self.addEventListener("message", (event) => {
  if (event.data === "let in") event.waitUntil(letIn());
});
async function letIn() {
  const served = await current();
  if (!(await isWhole(VERSION))) await fill();
  await serve(VERSION);
  if (served !== VERSION) await caches.delete(served);
  await self.skipWaiting();
}

self.addEventListener("fetch", (event) => {
  const address = new URL(event.request.url);
  const isShell = event.request.mode === "navigate" && address.pathname === "/m/";
  if (event.request.method !== "GET" || address.origin !== location.origin || !(isShell || KEPT.includes(address.pathname))) return;
  event.respondWith(kept(isShell ? "/m/" : address.pathname, event.request));
});

// Page and program come from one version, so that they fit together; the page names nobody and asks for a sign-in itself.
async function kept(name, request) {
  const held = await (await caches.open(await current())).match(name);
  if (held) return held;
  if (!(await isWhole(VERSION))) fill().catch(() => null);  // lost with the browser's storage: kept again at the first signal
  return fetch(request);
}
