// Conveniences of the enterprise's pages; every page works without them.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const form of document.querySelectorAll("[data-sends-files]")) {
    form.querySelector("input[type=file]").addEventListener("change", () => form.requestSubmit());
    form.addEventListener("submit", () => { form.querySelector("[data-progress]").hidden = false; });
  }
  // A form that files something is sent once, however often its button is pressed.
  for (const form of document.querySelectorAll("[data-once]")) {
    form.addEventListener("submit", () => { form.querySelector("button").disabled = true; });
  }
});
