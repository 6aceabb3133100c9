// Below 600 px a table becomes cards: each cell is told its column. Without a script it scrolls sideways as it is.
"use strict";

function tellColumns(part) {
  for (const table of part.querySelectorAll(".wide > table:not(.grid, .matrix, .told)")) {
    if (!table.tHead || table.querySelector("[colspan], [rowspan]")) continue;
    const columns = [...table.tHead.rows[0].cells].map((cell) => cell.textContent.trim());
    // As blocks the parts of a table are no table to a screen reader any more, unless they say so.
    table.setAttribute("role", "table");
    for (const group of [table.tHead, ...table.tBodies]) group.setAttribute("role", "rowgroup");
    for (const cell of table.tHead.rows[0].cells) cell.setAttribute("role", "columnheader");
    for (const row of table.rows) {
      row.setAttribute("role", "row");
      if (row.parentElement === table.tHead) continue;
      [...row.cells].forEach((cell, place) => {
        cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
        if (columns[place]) cell.dataset.column = columns[place];
      });
    }
    table.classList.add("told");
  }
}

document.addEventListener("DOMContentLoaded", () => tellColumns(document));
document.addEventListener("htmx:afterSettle", (event) => tellColumns(event.target.parentElement || document));
