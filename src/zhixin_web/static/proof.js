// Proofs that the visitor's own browser computes: inclusion of a ledger entry (RFC 6962), the checkpoint's Ed25519
// signature (C2SP signed note), and the hash of a file. Nothing is sent anywhere.
"use strict";

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const unhex = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
const unbase64 = (text) => Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
const sha256 = async (...parts) => {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) { whole.set(part, at); at += part.length; }
  return new Uint8Array(await crypto.subtle.digest("SHA-256", whole));
};

// RFC 9162, 2.1.3.2: the root that an entry and its audit path lead to.
async function rootFrom(index, size, entry, path) {
  let node = await sha256(new Uint8Array([0]), new TextEncoder().encode(entry));
  let place = index, last = size - 1;
  for (const step of path) {
    if (last === 0) return null;
    if (place % 2 === 1 || place === last) {
      node = await sha256(new Uint8Array([1]), step, node);
      while (place % 2 === 0 && place !== 0) { place = Math.floor(place / 2); last = Math.floor(last / 2); }
    } else {
      node = await sha256(new Uint8Array([1]), node, step);
    }
    place = Math.floor(place / 2); last = Math.floor(last / 2);
  }
  return last === 0 ? node : null;
}

// true: signed by the key; false: not; null: this browser cannot tell.
async function isSigned(note, vkey) {
  const end = note.indexOf("\n\n");
  const first = vkey.indexOf("+"), second = vkey.indexOf("+", first + 1);
  const name = vkey.slice(0, first), key = unbase64(vkey.slice(second + 1));
  for (const line of note.slice(end + 2).split("\n")) {
    const parts = line.split(" ");
    if (parts.length !== 3 || parts[1] !== name) continue;
    try {
      const imported = await crypto.subtle.importKey("raw", key.slice(1), { name: "Ed25519" }, false, ["verify"]);
      return await crypto.subtle.verify("Ed25519", imported, unbase64(parts[2]).slice(4), new TextEncoder().encode(note.slice(0, end + 1)));
    } catch (error) {
      return null;
    }
  }
  return false;
}

async function prove(box) {
  box.textContent = box.dataset.working;
  const seq = Number(box.dataset.seq);
  const note = await (await fetch("/ledger/checkpoint")).text();
  const [, sizeText, rootText] = note.split("\n");
  const size = Number(sizeText);
  if (seq >= size) { box.textContent = box.dataset.waiting; return; }
  const answer = await (await fetch(`/ledger/proof/inclusion?seq=${seq}&size=${size}`)).json();
  const entry = document.getElementById("entry").textContent.trim();
  const root = await rootFrom(seq, size, entry, answer.proof.map(unhex));
  const included = root !== null && hex(root) === hex(unbase64(rootText));
  const signed = included ? await isSigned(note, box.dataset.vkey) : false;
  box.textContent = !included || signed === false ? box.dataset.failed : signed ? box.dataset.proved : box.dataset.included;
  box.classList.add(!included || signed === false ? "error" : "success");
}

document.addEventListener("DOMContentLoaded", () => {
  const box = document.getElementById("proof_result");
  if (box) prove(box).catch(() => { box.textContent = box.dataset.failed; });
  const file = document.getElementById("hash_file");
  if (file) file.addEventListener("change", async () => {
    const result = document.getElementById("hash_result");
    const found = hex(await sha256(new Uint8Array(await file.files[0].arrayBuffer())));
    const same = found === document.getElementById("expected").textContent.trim();
    result.textContent = same ? result.dataset.same : result.dataset.other;
    result.className = same ? "note success" : "note error";
  });
});
