// The inspector's pocket: everything is kept on the phone first and leaves it only when the server has acknowledged it.
"use strict";

const W = JSON.parse(document.getElementById("words").textContent);
const MOST_PHOTOS = Number(document.body.dataset.mostPhotos), TIMEOUT = 60000, FEWEST_STROKE = 60;
let USER = "";  // who was signed in when the server was last asked; the page itself names nobody, because it is kept for all
const main = document.getElementById("main"), DAY = 86400000;
const ANSWERS = ["fine", "problem", "not_applicable", "not_checked"];
const state = { token: "", syncing: false, persisted: null, trouble: "", pending: {} };

// --- what is kept on the phone --------------------------------------------------------------------------------------------

let db;
function openStore() {
  return new Promise((resolve, reject) => {
    const asked = indexedDB.open("zhixin-pocket", 1);
    asked.onupgradeneeded = () => {
      for (const [name, key] of [["tasks", "key"], ["drafts", "id"], ["photos", "id"], ["outbox", "key"], ["facts", "name"]])
        asked.result.createObjectStore(name, { keyPath: key });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  });
}
function within(names, mode, act) {
  return new Promise((resolve, reject) => {
    const work = db.transaction(names, mode);
    const asked = act(...[].concat(names).map((name) => work.objectStore(name)));
    work.oncomplete = () => resolve(asked && asked.result);
    work.onabort = work.onerror = () => reject(work.error || (asked && asked.error));
  });
}
const get = (name, key) => within(name, "readonly", (store) => store.get(key));
const all = async (name) => (await within(name, "readonly", (store) => store.getAll())).filter((item) => item.user === USER);
const put = (name, value) => within(name, "readwrite", (store) => store.put(value));
const del = (name, key) => within(name, "readwrite", (store) => store.delete(key));
const draftId = (task) => `${USER}:${task}`, taskKey = draftId, pictureId = (task, sha256) => `${USER}:${task}:${sha256}`;
const taskOf = (id) => get("tasks", taskKey(id));

// Change a draft as it is kept now, not as a screen once read it. What cannot be kept waits and is tried again with the next change.
async function change(id, act) {
  const waiting = [...(state.pending[id] || []), act];
  try {
    const found = await within("drafts", "readwrite", (drafts) => {
      const asked = drafts.get(draftId(id)), made = {};
      asked.onsuccess = () => {
        if (!asked.result) return;
        for (const one of waiting) one(asked.result);
        asked.result.changed_at = Date.now();
        drafts.put(made.result = asked.result);
      };
      return made;
    });
    delete state.pending[id];
    notice("full", "");
    notice("saved", W.saved, 1500);
    return found;
  } catch {
    state.pending[id] = waiting;
    notice("full", W.full);
    return null;
  }
}
// Nobody leaves a screen whose words could not be kept.
main.addEventListener("click", (event) => {
  if (Object.keys(state.pending).length && event.target.closest("a")) { event.preventDefault(); notice("full", W.full); }
});
async function isNeeded(task, sha256) {
  const used = (content) => [...content.photos.map((photo) => photo.sha256), ...Object.values(content.inspectors).map((one) => one.sha256 || one), content.party.sha256].includes(sha256);
  const drafts = (await all("drafts")).filter((draft) => draft.task === task), items = (await all("outbox")).filter((item) => item.task === task && item.state !== "taken");
  return drafts.some(used) || items.some((item) => used(item.content));
}
async function dropPicture(task, sha256) {
  if (!(await isNeeded(task, sha256))) await del("photos", pictureId(task, sha256));
}

// --- drawing --------------------------------------------------------------------------------------------------------------

function h(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "value" && name !== "option" && name !== "input") queueMicrotask(() => { made.value = value; });
    else if (key in made && key !== "list" && typeof value !== "string") made[key] = value;
    else if (value !== false && value != null) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child != null && child !== false));
  return made;
}
function draw(title, ...children) {
  main.replaceChildren(h("h1", {}, title), ...children.flat(Infinity).filter(Boolean));
  document.title = title;
  main.focus({ preventScroll: true });
  scrollTo(0, 0);
}
function notice(name, text, milliseconds) {
  const place = document.getElementById("notices");
  let shown = place.querySelector(`[data-name="${name}"]`);
  if (!text) { if (shown) shown.remove(); return; }
  if (!shown) place.append(shown = h("p", { class: "note", "data-name": name }));
  shown.replaceChildren(text);
  if (name === "sign_in") shown.append(" ", h("a", { href: "/c/sign-in?next=/m/" }, W.sign_in_link));
  if (milliseconds) setTimeout(() => shown.remove(), milliseconds);
}
const link = (address, text, first) => h("a", { class: first ? "button first" : "button", href: address }, text);
const field = (label, id, control) => h("div", { class: "field" }, h("label", { for: id }, label), control);
const facts = (...rows) => h("dl", { class: "facts card" }, rows.filter(([, value]) => value).map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]));
function choice(id, table, value, change) {
  return h("select", { id, onchange: (event) => change(event.target.value) }, h("option", { value: "" }, W.choose),
    table.map(([name, text]) => h("option", { value: name, selected: name === value }, text)));
}

// --- screens --------------------------------------------------------------------------------------------------------------

async function listScreen() {
  const [tasks, drafts, outbox, updated] = await Promise.all([all("tasks"), all("drafts"), all("outbox"), get("facts", `updated:${USER}`)]);
  const today = localDay(), mine = tasks.sort((a, b) => (a.due_on < b.due_on ? -1 : 1));
  draw(W.list,
    updated && h("p", { class: "hint" }, [`${W.updated} ${new Date(updated.at).toLocaleString()}`, state.persisted ? W.persisted : drafts.length + outbox.length ? W.not_persisted : ""].filter(Boolean).join(" · ")),
    mine.length ? h("ul", { class: "records" }, mine.map((task) => h("li", { class: "card" },
      h("h2", {}, h("a", { href: `#/t/${task.id}` }, task.name)),
      h("p", {}, `${W.due} ${task.due_on} `, task.due_on < today && h("span", { class: "tag bad" }, W.late),
        drafts.some((draft) => draft.task === task.id) && h("span", { class: "tag warn" }, `${W.draft} · ${W.on_phone}`),
        outbox.some((item) => item.task === task.id && item.state !== "taken") && h("span", { class: "tag warn" }, W.queued))))) :
      h("p", { class: "empty" }, W.none));
}

async function taskScreen(id) {
  const [task, draft, queued] = [await taskOf(id), await get("drafts", draftId(id)), await underWay(id)];
  if (!task) return listScreen();
  draw(task.name,
    task.returned && h("p", { class: "note warning" }, `${W.sent_back}：${task.returned.reason}`),
    facts([W.uscc, task.code], [W.list, `${task.plan} ${task.number}`], [W.due, task.due_on],
      [W.team, h("ul", {}, task.team.map((one) => h("li", {}, `${one.name} ${one.certificate} · ${W.until} ${one.valid_until}`)))]),
    h("h2", {}, W.items),
    task.items.map((item) => h("section", { class: "card" }, h("h3", {}, item.title),
      h("ul", {}, item.questions.map((question) => h("li", {}, question))), h("p", { class: "hint" }, `${W.basis}：${item.basis.join("；")}`))),
    h("h2", {}, W.history),
    task.history.length ? h("ul", {}, task.history.map((line) => h("li", {}, line))) : h("p", { class: "empty" }, W.no_history),
    h("p", { class: "hint" }, h("a", { href: `/c/inspections/tasks/${id}` }, W.recuse)),
    queued && !draft ? h("p", { class: "note" }, W.under_way) : null,
    h("p", { class: "actions" }, queued && !draft ? link("#/outbox", W.outbox, true) : link(`#/t/${id}/q/0`, draft ? W.go_on : W.start, true),
      draft && h("button", { onclick: () => exported({ task: id, name: task.name, content: contentOf(draft) }) }, W.export),
      draft && h("button", { class: "quiet", onclick: async () => { if (confirm(W.really)) { await del("drafts", draftId(id)); taskScreen(id); } } }, W.remove_draft)));
}
const underWay = async (id) => (await all("outbox")).find((item) => item.task === id && !["taken", "refused"].includes(item.state));

function questionsOf(task) {
  return task.items.flatMap((item) => item.questions.map((text, question) => ({ item: item.code, title: item.title, question, text, basis: item.basis })));
}
async function opened(id) {
  const task = await taskOf(id);
  let draft = await get("drafts", draftId(id));
  if (task && !draft && (await underWay(id))) { location.hash = `#/t/${id}`; return {}; }
  if (task && !draft) {
    const blank = { answers: {}, photos: [], inspectors: {}, party: { kind: "signed", name: "" }, method: "on_site", result: "", disposal: "", note: "", inspected_on: localDay() };
    const before = task.returned && task.returned.content ? fields(task.returned.content) : {};
    draft = { ...blank, ...before, id: draftId(id), user: USER, task: id, key: crypto.randomUUID(), started_at: new Date().toISOString(), changed_at: Date.now() };
    if (navigator.storage && navigator.storage.persist) state.persisted = await navigator.storage.persist();
    try { await put("drafts", draft); } catch { notice("full", W.full); }
  }
  return { task, draft };
}
// The fields of a draft from what was sent.
function fields(sent) {
  const answers = {};
  for (const one of sent.answers) answers[`${one.item}/${one.question}`] = { answer: one.answer, remark: one.remark };
  return { answers, photos: sent.photos, party: { ...sent.party }, method: sent.method, result: sent.result, disposal: sent.disposal, note: sent.note, inspected_on: sent.inspected_on,
    inspectors: Object.fromEntries(sent.inspectors.map((one) => [one.code, one.sha256])) };
}

async function questionScreen(id, number) {
  const { task, draft } = await opened(id);
  if (!task) return listScreen();
  const asked = questionsOf(task), one = asked[number];
  if (!one) return photosScreen(id);
  const key = `${one.item}/${one.question}`, given = draft.answers[key] || { answer: "", remark: "" };
  const save = () => { const kept = { ...given }; return change(id, (held) => { held.answers[key] = kept; }); };
  draw(one.text,
    h("p", { class: "purpose" }, `${one.title} · ${W.question} ${number + 1}/${asked.length}`),
    h("fieldset", { class: "field choices" }, h("legend", {}, one.text), ANSWERS.map((name) => h("label", {},
      h("input", { type: "radio", name: "answer", value: name, checked: given.answer === name, onchange: () => { given.answer = name; save(); } }), W[name]))),
    field(W.remark, "remark", h("textarea", { id: "remark", rows: "3", maxlength: "300", value: given.remark, oninput: (event) => { given.remark = event.target.value; save(); } })),
    h("p", { class: "hint" }, `${W.basis}：${one.basis.join("；")}`),
    h("p", { class: "actions" }, link(number ? `#/t/${id}/q/${number - 1}` : `#/t/${id}`, W.back), link(`#/t/${id}/${number + 1 < asked.length ? `q/${number + 1}` : "photos"}`, W.next, true)));
}

const hex = (bytes) => [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
async function keepPicture(task, blob, more) {
  const sha256 = hex(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  try {
    await put("photos", { id: pictureId(task, sha256), user: USER, task, sha256, blob, sent: false, ...more });
  } catch (error) {
    notice("full", W.full);
    throw error;
  }
  return sha256;
}
async function isPicture(file) {
  try { (await createImageBitmap(file)).close(); return /^image\/(jpeg|png)$/.test(file.type); } catch { return false; }
}
const here = () => new Promise((resolve) => navigator.geolocation ? navigator.geolocation.getCurrentPosition(
  ({ coords }) => resolve({ latitude: coords.latitude, longitude: coords.longitude, accuracy: coords.accuracy }), () => resolve(null), { timeout: 10000 }) : resolve(null));

async function photosScreen(id) {
  const { task, draft } = await opened(id);
  if (!task) return listScreen();
  const shown = await Promise.all(draft.photos.map(async (photo) => ({ photo, held: await get("photos", pictureId(id, photo.sha256)) })));
  const isHere = () => location.hash === `#/t/${id}/photos`;
  const add = async (event) => {
    notice("photo", "");
    let count = draft.photos.length;
    const wantsPlace = document.getElementById("place").checked;
    for (const file of [...event.target.files]) {
      if (count >= MOST_PHOTOS) { notice("photo", W.most_photos); break; }
      if (!(await isPicture(file))) { notice("photo", W.no_photo); continue; }
      const taken_at = new Date().toISOString(), sha256 = await keepPicture(id, file, {});
      await change(id, (held) => { if (!held.photos.some((photo) => photo.sha256 === sha256)) held.photos.push({ sha256, taken_at, caption: "", place: null }); });
      count += 1;
      if (wantsPlace) here().then((place) => place && change(id, (held) => { for (const photo of held.photos) if (photo.sha256 === sha256) photo.place = place; }));
    }
    if (isHere()) photosScreen(id);
  };
  const caption = (sha256, text) => change(id, (held) => { for (const photo of held.photos) if (photo.sha256 === sha256) photo.caption = text; });
  const away = async (sha256) => {
    await change(id, (held) => { held.photos = held.photos.filter((photo) => photo.sha256 !== sha256); });
    await dropPicture(id, sha256);
    photosScreen(id);
  };
  draw(W.photos,
    h("div", { class: "field" }, h("label", { for: "photo" }, W.add_photo), h("input", { id: "photo", type: "file", accept: "image/jpeg,image/png", capture: "environment", multiple: true, onchange: add })),
    h("p", {}, h("label", {}, h("input", { type: "checkbox", id: "place" }), ` ${W.place}`)),
    h("ul", { class: "records" }, shown.map(({ photo, held }, place) => h("li", { class: "card" },
      held ? h("img", { class: "thumb", alt: `${W.photos} ${place + 1}`, src: URL.createObjectURL(held.blob) }) : h("p", {}, task.returned ? W.on_server : W.photo_lost),
      h("p", { class: "hint" }, new Date(photo.taken_at).toLocaleString()),
      field(W.caption, `caption${place}`, h("input", { id: `caption${place}`, maxlength: "100", value: photo.caption, oninput: (event) => caption(photo.sha256, event.target.value) })),
      h("button", { class: "quiet", onclick: () => away(photo.sha256) }, `${W.remove} ${place + 1}`)))),
    h("p", { class: "actions" }, link(`#/t/${id}/q/${questionsOf(task).length - 1}`, W.back), link(`#/t/${id}/result`, W.next, true)));
}

async function resultScreen(id) {
  const { task, draft } = await opened(id);
  if (!task) return listScreen();
  const tables = (await get("facts", "tables")) || { methods: [], results: [], disposals: [] };
  const set = (name) => (value) => change(id, (held) => { held[name] = value; });
  draw(W.result,
    field(W.inspected_on, "inspected_on", h("input", { id: "inspected_on", type: "date", value: draft.inspected_on, onchange: (event) => set("inspected_on")(event.target.value) })),
    field(W.method, "method", choice("method", tables.methods, draft.method, set("method"))),
    field(W.result, "result", choice("result", tables.results, draft.result, set("result"))),
    field(W.disposal, "disposal", choice("disposal", tables.disposals, draft.disposal, set("disposal"))),
    field(W.note, "note", h("textarea", { id: "note", rows: "5", maxlength: "2000", value: draft.note, oninput: (event) => set("note")(event.target.value) })),
    h("p", { class: "actions" }, link(`#/t/${id}/photos`, W.back), link(`#/t/${id}/sign`, W.next, true)));
}

// A field to sign in with a finger or a pen; what is drawn is kept as a picture when the pen is lifted.
function pad(label, id, isSigned, done, cleared) {
  const canvas = h("canvas", { width: 600, height: 200, class: "pad", role: "img", "aria-label": label, id });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff"; pen.fillRect(0, 0, 600, 200); pen.lineWidth = 4; pen.lineCap = "round"; pen.strokeStyle = "#111";
  let isDown = false, length = 0, last = [0, 0];
  const at = (event) => { const box = canvas.getBoundingClientRect(); return [(event.clientX - box.left) * 600 / box.width, (event.clientY - box.top) * 200 / box.height]; };
  canvas.addEventListener("pointerdown", (event) => { isDown = true; canvas.setPointerCapture(event.pointerId); pen.beginPath(); pen.moveTo(...(last = at(event))); });
  canvas.addEventListener("pointermove", (event) => { if (isDown) { const now = at(event); length += Math.hypot(now[0] - last[0], now[1] - last[1]); pen.lineTo(...(last = now)); pen.stroke(); } });
  canvas.addEventListener("pointerup", () => { if (isDown) { isDown = false; if (length >= FEWEST_STROKE) canvas.toBlob(done, "image/png"); } });  // a tap is no signature
  return h("div", { class: "card" }, h("h3", {}, label, isSigned && h("span", { class: "tag good" }, W.signed)), canvas, h("button", { class: "quiet", onclick: cleared }, `${W.clear} ${label}`));
}

async function signScreen(id) {
  const { task, draft } = await opened(id);
  if (!task) return listScreen();
  const strangers = Object.keys(draft.inspectors).filter((code) => !task.team.some((one) => one.code === code));
  if (strangers.length) {
    await change(id, (held) => { for (const code of strangers) delete held.inspectors[code]; });
    notice("team", `${W.team_changed}：${strangers.join("、")}`, 10000);
  }
  const party = draft.party, again = () => { if (location.hash === `#/t/${id}/sign`) signScreen(id); };
  const signed = async (blob, act) => { const sha256 = await keepPicture(id, blob, { role: "signature" }); await change(id, (held) => act(held, sha256)); };
  const cleared = async (act) => { await change(id, act); again(); };
  const inspectors = task.team.map((one) => pad(`${W.inspector_signs}：${one.name}`, `pad-${one.code}`, draft.inspectors[one.code],
    (blob) => signed(blob, (held, sha256) => { held.inspectors[one.code] = sha256; }), () => cleared((held) => { delete held.inspectors[one.code]; })));
  const kind = (name, text) => h("label", {}, h("input", { type: "radio", name: "kind", value: name, checked: party.kind === name, onchange: () => cleared((held) => { held.party.kind = name; }) }), text);
  const text = (name, label, most) => field(label, name, h("input", { id: name, maxlength: String(most), value: party[name] || "", oninput: (event) => { const said = event.target.value; change(id, (held) => { held.party[name] = said; }); } }));
  draw(W.signatures, inspectors,
    h("fieldset", { class: "field" }, h("legend", {}, W.party), kind("signed", W.signed), kind("refused", W.refused)),
    party.kind === "signed" ? [text("name", W.name, 60), pad(W.party, "pad-party", party.sha256,
      (blob) => signed(blob, (held, sha256) => { held.party.sha256 = sha256; }), () => cleared((held) => { delete held.party.sha256; }))] : [text("reason", W.why, 300), text("witness", W.witness, 60)],
    h("p", { class: "actions" }, link(`#/t/${id}/result`, W.back), link(`#/t/${id}/check`, W.next, true)));
}

function missingIn(task, draft) {
  const party = draft.party, found = [];
  const open = questionsOf(task).filter((one) => !(draft.answers[`${one.item}/${one.question}`] || {}).answer).length;
  if (open) found.push(`${W.missing_answer}：${open}`);
  if (!draft.method || !draft.result || !draft.disposal || !draft.inspected_on) found.push(W.missing_result);
  if (Object.keys(draft.inspectors).length < 2) found.push(W.missing_signature);
  if (party.kind === "signed" ? !(party.name && party.sha256) : !(party.reason && party.witness)) found.push(W.missing_party);
  return found;
}

async function checkScreen(id) {
  const { task, draft } = await opened(id);
  if (!task) return listScreen();
  const missing = missingIn(task, draft), tables = (await get("facts", "tables")) || { results: [] };
  const named = (table, name) => ((tables[table] || []).find(([key]) => key === name) || [, name])[1];
  draw(W.check,
    missing.length ? h("div", { class: "note warning" }, h("p", {}, W.missing), h("ul", {}, missing.map((text) => h("li", {}, text)))) : null,
    facts([W.list, task.name], [W.inspected_on, draft.inspected_on], [W.method, named("methods", draft.method)], [W.result, named("results", draft.result)],
      [W.disposal, named("disposals", draft.disposal)], [W.note, draft.note], [W.photos, String(draft.photos.length)]),
    h("ul", {}, questionsOf(task).map((one, number) => { const given = draft.answers[`${one.item}/${one.question}`] || {};
      return h("li", {}, h("a", { href: `#/t/${id}/q/${number}` }, one.text), ` ${W[given.answer] || "—"} ${given.remark || ""}`); })),
    h("p", { class: "actions" }, link(`#/t/${id}/sign`, W.back),
      h("button", { class: "first", disabled: missing.length > 0, onclick: (event) => { event.target.disabled = true; submit(task, draft); } }, W.submit)));
}

function contentOf(draft) {
  const party = draft.party, isSigned = party.kind === "signed";
  return {
    started_at: draft.started_at, submitted_at: new Date().toISOString(), inspected_on: draft.inspected_on, method: draft.method, result: draft.result,
    disposal: draft.disposal, note: draft.note,
    answers: Object.entries(draft.answers).map(([key, given]) => ({ item: key.split("/")[0], question: Number(key.split("/")[1]), answer: given.answer, remark: given.remark })),
    photos: draft.photos, inspectors: Object.entries(draft.inspectors).map(([code, sha256]) => ({ code, sha256 })),
    party: isSigned ? { kind: "signed", name: party.name, sha256: party.sha256 } : { kind: "refused", reason: party.reason, witness: party.witness },
  };
}
// What is sent is the draft as it is kept, and only if it is what the screen showed.
async function submit(task, draft) {
  let isShown = false;
  try {
    await within(["outbox", "drafts"], "readwrite", (outbox, drafts) => {
      const asked = drafts.get(draft.id);  // another tab may have submitted or changed it
      asked.onsuccess = () => {
        const kept = asked.result;
        isShown = !kept || kept.changed_at === draft.changed_at;
        if (!kept || !isShown) return;
        outbox.put({ key: kept.key, user: USER, task: task.id, name: task.name, content: contentOf(kept), state: "queued", faults: [], at: Date.now() });
        drafts.delete(kept.id);
      };
    });
  } catch {
    notice("full", W.full);
    return checkScreen(task.id);
  }
  if (!isShown) { notice("draft", W.changed_elsewhere, 10000); return checkScreen(task.id); }
  location.hash = "#/outbox";
  return sync();
}
// Change a report that waits, if it still does: whoever took it back for correction meanwhile has it.
async function mark(key, more, states = ["queued", "sending", "waiting"]) {
  let found = null;
  await within("outbox", "readwrite", (outbox) => {
    const asked = outbox.get(key);
    asked.onsuccess = () => { if (asked.result && states.includes(asked.result.state)) outbox.put(found = { ...asked.result, ...more }); };
  });
  return found;
}

async function outboxScreen() {
  const items = (await all("outbox")).sort((a, b) => b.at - a.at), tables = (await get("facts", "tables")) || {};
  draw(W.outbox,
    h("p", { class: "actions" }, h("button", { onclick: () => sync() }, W.send_now)),
    items.length ? h("ul", { class: "records" }, items.map((item) => h("li", { class: "card" },
      h("h2", {}, item.name), h("p", {}, h("span", { class: `tag ${{ taken: "good", refused: "bad" }[item.state] || "warn"}` }, item.state === "refused" ? W.returned : W[item.state]),
        item.state !== "taken" && ` ${W.on_phone}`, item.number && ` ${item.number}`),
      item.faults.length ? h("ul", {}, item.faults.map((text) => h("li", { class: "fault" }, text))) : null,
      item.theirs && theirs(item, tables),
      h("p", { class: "actions" },
        item.state === "taken" && h("a", { class: "button", href: `/m/tasks/${item.task}/record.pdf` }, W.record),
        (item.state === "refused" || item.state === "queued") && h("button", { class: "first", onclick: () => takeBack(item) }, W.edit),
        item.state !== "taken" && h("button", { onclick: () => exported(item) }, W.export),
        (item.state === "taken" || item.state === "refused") && h("button", { class: "quiet", onclick: async () => { if (item.state === "taken" || confirm(W.really)) { await del("outbox", item.key); outboxScreen(); } } }, `${W.remove} ${item.name}`))))) :
      h("p", { class: "empty" }, W.empty_outbox));
}
function theirs(item, tables) {
  const said = (name, value) => ((tables[`${name}s`] || []).find(([key]) => key === value) || [, value])[1];
  const rows = ["method", "result", "disposal", "note", "inspected_on"].map((name) => h("tr", { class: item.theirs[name] !== item.content[name] ? "differs" : "" },
    h("th", { scope: "row" }, W[name] || name), h("td", {}, said(name, item.content[name])), h("td", {}, said(name, item.theirs[name]))));
  return h("div", { class: "wide", tabindex: "0", role: "region", "aria-label": W.theirs }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, W.field),
    h("th", { scope: "col" }, W.mine), h("th", { scope: "col" }, `${W.theirs} ${item.theirs.by}`))), h("tbody", {}, rows)));
}
async function takeBack(item) {
  if (await get("drafts", draftId(item.task))) return notice("draft", W.other_draft, 10000);
  const draft = { id: draftId(item.task), user: USER, task: item.task, key: crypto.randomUUID(), started_at: item.content.started_at, changed_at: Date.now(), ...fields(item.content) };
  let isBack = false;
  await within(["outbox", "drafts"], "readwrite", (outbox, drafts) => {
    const asked = outbox.get(item.key);
    asked.onsuccess = () => {
      isBack = Boolean(asked.result) && ["queued", "refused"].includes(asked.result.state);  // not what is on its way
      if (isBack) { drafts.put(draft); outbox.delete(item.key); }
    };
  });
  if (!isBack) { notice("draft", W.on_its_way, 10000); return outboxScreen(); }
  location.hash = `#/t/${item.task}/check`;
}
const asText = (blob) => new Promise((resolve, reject) => { const reader = new FileReader(); reader.onload = () => resolve(reader.result); reader.onerror = () => reject(reader.error); reader.readAsDataURL(blob); });
async function exported(item) {
  const photos = (await all("photos")).filter((photo) => photo.task === item.task), files = {};
  for (const photo of photos) files[photo.sha256] = await asText(photo.blob);
  const away = h("a", { href: URL.createObjectURL(new Blob([JSON.stringify({ ...item, files })], { type: "application/json" })), download: `zhixin-${item.task}.json` });
  document.body.append(away);
  away.click();
  away.remove();
}

async function scanScreen(found) {
  const box = h("input", { id: "code", autocomplete: "off", maxlength: "200" });
  const look = async () => {
    try {
      const answer = await fetch(`/m/check.json?code=${encodeURIComponent(box.value)}`);
      if (answer.redirected) throw new Error("signed out");
      scanScreen(await answer.json());
    } catch {
      const held = (await all("tasks")).filter((task) => box.value.toUpperCase().includes(task.code));
      scanScreen({ offline: true, held });
    }
  };
  const camera = "BarcodeDetector" in window && navigator.mediaDevices && h("button", { onclick: () => byCamera(box, look) }, W.camera);
  draw(W.scan, h("form", { class: "card", onsubmit: (event) => { event.preventDefault(); look(); } }, field(W.code, "code", box), h("button", { class: "first" }, W.look)), camera || null,
    found && (found.offline ? h("section", { class: "card" }, h("p", {}, W.look_online), h("ul", {}, found.held.map((task) => h("li", {}, h("a", { href: `#/t/${task.id}` }, task.name))))) :
      !found.found ? h("section", { class: "card" }, h("p", { class: "note warning" }, found.why.join("；"))) :
        h("section", { class: "card", id: "answer" }, h("h2", {}, found.name), h("p", { class: "big" }, h("span", { class: `tag ${found.may ? "good" : "bad"}` }, found.may ? W.may : W.may_not)),
          h("ul", {}, found.why.map((text) => h("li", {}, text))),
          found.tasks.map((task) => h("p", {}, h("a", { href: `#/t/${task.id}` }, task.plan), ` ${W.due} ${task.due_on} · ${task.items.join("、")} · ${task.team.join("、")}`)),
          h("h3", {}, W.history), found.history.length ? h("ul", {}, found.history.map((line) => h("li", {}, line))) : h("p", {}, W.no_history))));
}
async function byCamera(box, look) {
  const video = h("video", { muted: true, playsInline: true }), stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  main.append(video);
  video.srcObject = stream;
  await video.play();
  const detector = new BarcodeDetector({ formats: ["qr_code"] });
  const timer = setInterval(async () => {
    const [code] = await detector.detect(video).catch(() => []);
    if (!code && video.isConnected) return;
    clearInterval(timer);
    stream.getTracks().forEach((track) => track.stop());
    if (code) { box.value = code.rawValue; look(); }
  }, 300);
}

// --- the way to the server ------------------------------------------------------------------------------------------------

// Why nothing can be sent now: no signal, signed out, signed in as another, or trouble at the server; a later attempt may succeed.
class Away extends Error {}
async function ask(address, options = {}) {
  let answer;
  try { answer = await fetch(address, { ...options, signal: AbortSignal.timeout(TIMEOUT) }); } catch (error) { throw new Away(error.name === "TimeoutError" ? "busy" : "offline"); }
  const isJson = (answer.headers.get("Content-Type") || "").includes("json");
  if (answer.redirected || answer.status === 401 || (answer.status === 403 && !isJson)) throw new Away("sign_in");
  if (answer.status === 429 || answer.status >= 500 || (answer.ok && !isJson)) throw new Away("busy");
  const body = isJson ? await answer.json().catch(() => { throw new Away("busy"); }) : null;
  if (body && body.state === "other_user") throw new Away("other_user");
  return { status: answer.status, body: body || { faults: [`${W.not_taken} (${answer.status})`] } };
}
async function refresh() {
  const { status, body } = await ask("/m/tasks.json");
  if (status !== 200) throw new Away("busy");
  state.token = body.token;
  const wasLocked = isLocked();
  localStorage.removeItem(LOCKED);
  if (wasLocked || body.user !== USER) await become(body.user, body.name);
  if (wasLocked) route();
  const unsent = (await all("outbox")).filter((item) => item.state !== "taken");
  const needed = new Set([...(await all("drafts")), ...unsent].map((item) => item.task));  // a withdrawn task stays while something is written on it
  const gone = (await all("tasks")).filter((task) => !body.tasks.some((fresh) => fresh.id === task.id) && !needed.has(task.id));
  await within(["tasks", "facts"], "readwrite", (tasks, facts) => {
    for (const task of gone) tasks.delete(task.key);
    for (const task of body.tasks) tasks.put({ ...task, user: USER, key: taskKey(task.id) });
    facts.put({ name: "tables", methods: body.methods, results: body.results, disposals: body.disposals });
    return facts.put({ name: `updated:${USER}`, at: body.at });
  });
}
async function become(user, name) {
  USER = user;
  await put("facts", { name: "me", user, shown: name });
  document.getElementById("who").textContent = name;
  if (location.hash.startsWith("#/t/")) location.hash = "#/";  // the screen of somebody else's task
}
const signedBy = (more) => ({ "X-CSRFToken": state.token, "Reported-By": encodeURIComponent(USER), ...more });
async function sendPicture(item, sha256) {
  const photo = await get("photos", pictureId(item.task, sha256));
  if (!photo || photo.sent) return [];  // the server says what it misses
  const { status, body } = await ask(`/m/tasks/${item.task}/photos/${sha256}`, { method: "POST", body: photo.blob, headers: signedBy({ "Content-Type": "application/octet-stream" }) });
  if (status !== 200 || body.state !== "kept") return body.faults || [W.not_taken];
  await put("photos", { ...photo, sent: true });
  return [];
}
async function send(waiting) {
  const item = await mark(waiting.key, { state: "sending" });
  if (!item) return;
  const party = item.content.party.sha256 ? [item.content.party.sha256] : [];
  const hashes = [...item.content.photos.map((photo) => photo.sha256), ...item.content.inspectors.map((one) => one.sha256), ...party];
  const unsound = [];
  for (const sha256 of new Set(hashes)) unsound.push(...(await sendPicture(item, sha256)));
  const { status, body } = await ask(`/m/tasks/${item.task}/report`, { method: "POST", body: JSON.stringify(item.content),
    headers: signedBy({ "Content-Type": "application/json", "Idempotency-Key": item.key, "Device-Time": new Date().toISOString() }) });
  if (body.state === "waiting" && unsound.length) return mark(item.key, { state: "refused", faults: [...new Set(unsound)] });
  if (body.state === "waiting") {  // the server misses pictures that this phone thought were there
    let isLost = false;
    for (const sha256 of body.missing || []) {
      const photo = await get("photos", pictureId(item.task, sha256));
      if (photo) await put("photos", { ...photo, sent: false }); else isLost = true;
    }
    return mark(item.key, isLost ? { state: "refused", faults: [W.photo_lost] } : { state: "waiting", faults: [] });
  }
  if (body.state === "taken") {
    await mark(item.key, { state: "taken", faults: [], number: body.number });
    for (const sha256 of new Set(hashes)) await dropPicture(item.task, sha256);
    return null;
  }
  return mark(item.key, { state: "refused", faults: body.faults || [`${W.not_taken} (${status})`], theirs: body.theirs });
}
async function sync() {
  if (state.syncing) return;
  state.syncing = true;
  try {
    await (navigator.locks ? navigator.locks.request("pocket", { ifAvailable: true }, (lock) => lock && syncAll()) : syncAll());
  } catch (error) {
    if (!(error instanceof Away)) { notice("full", W.full); throw error; }
    state.trouble = error.message;
  } finally {
    state.syncing = false;
    await told();
  }
}
async function syncAll() {
  await refresh();
  state.trouble = "";
  let trouble = null;
  for (const item of await all("outbox")) {
    if (item.state === "taken" || item.state === "refused") continue;
    try {
      await send(item);
      const after = await get("outbox", item.key);
      if (after && after.state === "waiting") await send(after);
    } catch (error) {  // one that cannot be sent does not hold up the next
      if (!(error instanceof Away)) throw error;
      trouble = error;
      await mark(item.key, { state: "queued" });
      if (error.message !== "busy") break;
    }
  }
  if (trouble) throw trouble;
  await refresh();
}

// What the page says of itself: why nothing is sent, unsent for a day; and a new version is let in when nothing is unsent.
async function told() {
  const unsent = [...(await all("drafts")), ...(await all("outbox")).filter((item) => item.state !== "taken")];
  const oldest = Math.min(...unsent.map((item) => item.changed_at || item.at));
  document.getElementById("unsent").textContent = unsent.length ? `(${unsent.length})` : "";
  for (const name of ["offline", "sign_in", "busy", "other_user"]) notice(name, state.trouble === name ? W[name] : "");
  notice("nag", unsent.length && Date.now() - oldest > DAY ? W.nag : "");
  const registered = navigator.serviceWorker && (await navigator.serviceWorker.getRegistration("/m/"));
  if (registered && registered.waiting && unsent.length) notice("update", W.update);
  const newest = registered && (registered.waiting || (!registered.installing && registered.active));
  if (newest && !unsent.length) newest.postMessage("let in");
  if (["", "#/", "#/outbox"].includes(location.hash)) route();
}

function localDay() {
  const now = new Date();
  return `${now.getFullYear()}-${String(now.getMonth() + 1).padStart(2, "0")}-${String(now.getDate()).padStart(2, "0")}`;
}
// Who signed out has closed the pocket too; what is unsent stays, and shows again after signing in.
const LOCKED = "pocket-locked", isLocked = () => localStorage.getItem(LOCKED) === "1";
async function lockedScreen() {
  const unsent = [...(await all("drafts")), ...(await all("outbox")).filter((item) => item.state !== "taken")].length;
  document.getElementById("who").textContent = "";
  draw(W.list, h("p", { class: "note" }, W.locked, unsent ? ` ${W.on_phone} (${unsent})` : ""),
    h("p", { class: "actions" }, h("a", { class: "button first", href: "/c/sign-in?next=/m/" }, W.sign_in_link)));
}
function route() {
  if (isLocked()) return lockedScreen();
  const [, first, id, step, number] = location.hash.split("/");
  if (first === "outbox") return outboxScreen();
  if (first === "scan") return scanScreen();
  if (first !== "t") return listScreen();
  const screens = { q: () => questionScreen(Number(id), Number(number)), photos: () => photosScreen(Number(id)), result: () => resultScreen(Number(id)), sign: () => signScreen(Number(id)), check: () => checkScreen(Number(id)) };
  return (screens[step] || (() => taskScreen(Number(id))))();
}

async function begin() {
  db = await openStore();
  const me = await get("facts", "me");
  if (me) { USER = me.user; document.getElementById("who").textContent = isLocked() ? "" : me.shown; }
  if (navigator.storage && navigator.storage.persisted) state.persisted = await navigator.storage.persisted();
  if (navigator.serviceWorker) navigator.serviceWorker.register("/m/sw.js", { scope: "/m/" }).catch(() => null);
  addEventListener("hashchange", route);
  addEventListener("storage", (event) => { if (event.key === LOCKED) route(); });
  addEventListener("online", () => sync());
  setInterval(() => sync(), 60000);
  await route();
  await sync();
}
begin();
