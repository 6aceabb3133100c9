// Computes a published draw (CDRAW/2) again in the visitor's own browser: roots, commitment, tickets, picks, inspectors.
// Nothing is sent anywhere and no code of the server is trusted; verify_draw.py does the same outside a browser.
"use strict";

const bytes = (text) => new TextEncoder().encode(text);
const hexOf = (data) => Array.from(new Uint8Array(data), (byte) => byte.toString(16).padStart(2, "0")).join("");
const joined = (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return whole;
};
const digest = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const order = (one, other) => (one < other ? -1 : one > other ? 1 : 0);

// JSON with sorted keys and no spaces: the form that was committed.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort(order).map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

async function head(lines) {
  if (lines.length === 0) return hexOf(await digest(new Uint8Array(0)));
  let level = await Promise.all(lines.map((line) => digest(new Uint8Array([0]), bytes(line))));
  while (level.length > 1) {
    const next = [];
    for (let at = 0; at < level.length; at += 2) {
      next.push(at + 1 < level.length ? digest(new Uint8Array([1]), level[at], level[at + 1]) : level[at]);
    }
    level = await Promise.all(next);
  }
  return hexOf(level[0]);
}

async function coder(key) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return async (message) => new Uint8Array(await crypto.subtle.sign("HMAC", imported, message));
}

// min(N, max, max(min, N·num/den rounded up)), in whole numbers.
function quota(stratum, units) {
  const share = (BigInt(units) * BigInt(stratum.num) + BigInt(stratum.den) - 1n) / BigInt(stratum.den);
  return Math.min(units, stratum.max ?? units, Math.max(stratum.min ?? 0, Number(share)));
}

// What does not follow, in the document's own words; empty: everything follows.
async function faultsOf(draw) {
  const plan = draw.plan, faults = [];
  for (const name of ["frame", "inspectors", "conflicts"]) {
    const sorted = draw[name].every((line, at) => at === 0 || order(draw[name][at - 1], line) < 0);
    if (!sorted || (await head(draw[name])) !== plan[`${name}_root`]) faults.push(`${name}_root`);
  }
  const commitment = await digest(bytes(canonical(plan)));
  if (hexOf(commitment) !== draw.commitment) faults.push("commitment");
  const seed = draw.numbers.map((source) => `${source.map((number) => `${number}.`).join("")}/`).join("");
  const unsorted = draw.numbers.some((source) => source.some((number, at) => at > 0 && source[at - 1] >= number));
  const prk = await (await coder(commitment))(bytes(seed));
  if (unsorted || seed !== draw.sources || hexOf(prk) !== draw.prk) faults.push("sources");
  const code = await coder(prk);
  const ticket = async (text) => hexOf(await code(joined(bytes(text), new Uint8Array([1]))));
  const groups = new Map(plan.strata.map((stratum) => [stratum.id, []]));
  for (const line of draw.frame) {
    const [unit, stratum] = line.split("\t");
    if (!groups.has(stratum)) { faults.push(stratum); continue; }
    groups.get(stratum).push(ticket(unit).then((found) => [found, unit]));
  }
  const drawn = [];
  for (const stratum of plan.strata) {
    const units = (await Promise.all(groups.get(stratum.id))).sort((one, other) => order(one[0], other[0]) || order(one[1], other[1]));
    const n = quota(stratum, units.length), said = draw.strata[stratum.id];
    const right = { N: units.length, n, picked: units.slice(0, n), reserve: units.slice(n, n + said.reserve.length) };
    if (canonical(said) !== canonical(right)) faults.push(stratum.id);
    drawn.push(...units.slice(0, n));
  }
  drawn.sort((one, other) => order(one[0], other[0]) || order(one[1], other[1]));
  const people = draw.inspectors.map((line) => line.split("\t")[0]), barred = new Set(draw.conflicts);
  const load = new Map(people.map((person) => [person, 0])), teams = {};
  for (const [, unit] of drawn) {
    const free = people.filter((person) => load.get(person) < plan.cap && !barred.has(`${person}\t${unit}`));
    const tickets = await Promise.all(free.map(async (person) => [await ticket(`inspector\n${unit}\n${person}`), person]));
    teams[unit] = tickets.sort((one, other) => order(one[0], other[0])).slice(0, plan.k).map((pair) => pair[1]);
    for (const person of teams[unit]) load.set(person, load.get(person) + 1);
  }
  if (canonical(teams) !== canonical(draw.assignment)) faults.push("assignment");
  return faults;
}

async function recompute() {
  const box = document.getElementById("recomputed");
  box.textContent = box.dataset.working;
  const draw = await (await fetch(box.dataset.file)).json();
  if (draw.plan.alg !== "CDRAW/2" || !globalThis.crypto || !crypto.subtle) {
    box.textContent = box.dataset.cannot;
    return;
  }
  const faults = await faultsOf(draw).catch((error) => [String(error)]);
  box.textContent = faults.length === 0 ? `✔ ${box.dataset.good}` : `✘ ${box.dataset.bad}${faults.join(", ")}`;
  box.dataset.state = faults.length === 0 ? "good" : "bad";
}

const button = document.getElementById("recompute");
if (button) button.addEventListener("click", recompute);
