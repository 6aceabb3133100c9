// Conveniences of the console; every page works without them.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  // 时光机: the slider sets the date, and looks when it is let go.
  for (const form of document.querySelectorAll("[data-slider]")) {
    const slider = form.querySelector("[data-months]"), field = form.querySelector("input[type=date]");
    slider.addEventListener("input", () => {
      const day = new Date(field.max + "T12:00:00");
      day.setMonth(day.getMonth() - Number(slider.value));
      field.value = slider.value === "0" ? "" : day.toISOString().slice(0, 10);
    });
    slider.addEventListener("change", () => form.requestSubmit());
  }
  for (const button of document.querySelectorAll("[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => navigator.clipboard.writeText(button.dataset.copy));
  }
  // A fault's link puts the cursor on its line.
  for (const link of document.querySelectorAll("[data-line]")) {
    link.addEventListener("click", (event) => {
      const box = document.getElementById("text");
      if (!box) return;
      event.preventDefault();
      const lines = box.value.split("\n"), number = Number(link.dataset.line);
      const start = lines.slice(0, number - 1).reduce((sum, line) => sum + line.length + 1, 0);
      box.focus();
      box.setSelectionRange(start, start + (lines[number - 1] || "").length);
      box.scrollTop = (number - 5) * parseFloat(getComputedStyle(box).lineHeight);
    });
  }
});

let waiting = "";
document.addEventListener("keydown", (event) => {
  const field = event.target.closest("input, textarea, select");
  if (field || event.ctrlKey || event.metaKey || event.altKey) return;
  const places = { e: "/c/subjects", d: "/c/", r: "/c/runs" };
  if (waiting === "g" && places[event.key]) { location.href = places[event.key]; return; }
  waiting = event.key === "g" ? "g" : "";
  if (event.key === "/") {
    const search = document.getElementById("q");
    if (search) { event.preventDefault(); search.focus(); } else location.href = "/c/subjects";
  } else if (event.key === "?") {
    location.href = "/c/styleguide";
  } else if (event.key === "j" || event.key === "k") {
    const rows = [...document.querySelectorAll("tbody th a")];
    const at = rows.indexOf(document.activeElement);
    const next = rows[event.key === "j" ? Math.min(at + 1, rows.length - 1) : Math.max(at - 1, 0)];
    if (next) { event.preventDefault(); next.focus(); }
  }
});

// Signing out closes the inspector's pocket on this phone too; what is unsent stays there.
document.addEventListener("submit", (event) => {
  if (event.target.matches("[data-signs-out]")) localStorage.setItem("pocket-locked", "1");
});
