"use strict";
// Sorting, filtering, hiding of series: the rest of the page works without scripts.
(() => {
  const table = document.getElementById("table");
  const body = table.tBodies[0];
  const rows = [...body.rows];
  const filter = document.getElementById("filter");
  const validOnly = document.getElementById("valid-only");
  const count = document.getElementById("count");
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const hiddenSeries = new Set();

  // The exact value if there is one, because the text is rounded.
  const key = (row, column) => {
    const cell = row.cells[column];
    const data = cell.querySelector("data");
    if (data) return Number(data.value);
    const text = cell.textContent.trim();
    if (text === "-") return null;
    return text !== "" && !Number.isNaN(Number(text)) ? Number(text) : text;
  };

  const order = (a, b) => {
    if (a === b) return 0;
    if (typeof a === "number" && typeof b === "number") return a - b;
    return String(a).localeCompare(String(b), "en", { numeric: true });
  };

  const sort = (button) => {
    const header = button.closest("th");
    const column = Number(button.dataset.column);
    const falling = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.querySelectorAll("th")) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", falling ? "descending" : "ascending");
    const keyed = [...body.rows].map((row) => [key(row, column), row]);
    keyed.sort(([a], [b]) => {
      // Rows without a value come last in both directions.
      if (a === null || b === null) return (a === null) - (b === null);
      return falling ? order(b, a) : order(a, b);
    });
    body.append(...keyed.map(([, row]) => row));
  };

  const show = () => {
    const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    rows.forEach((row, at) => {
      const fits = words.every((word) => texts[at].includes(word))
        && (!validOnly.checked || row.dataset.valid === "yes");
      row.hidden = !fits;
      shown += fits;
    });
    count.textContent = `${shown} of ${rows.length} shown`;
  };

  const toggle = (name) => {
    if (!hiddenSeries.delete(name)) hiddenSeries.add(name);
    for (const button of document.querySelectorAll(".legend button")) {
      button.setAttribute("aria-pressed", String(!hiddenSeries.has(button.dataset.series)));
    }
    for (const group of document.querySelectorAll("g.series")) {
      group.style.display = hiddenSeries.has(group.dataset.series) ? "none" : "";
    }
  };

  for (const button of table.tHead.querySelectorAll("button")) {
    button.addEventListener("click", () => sort(button));
  }
  for (const button of document.querySelectorAll(".legend button")) {
    button.addEventListener("click", () => toggle(button.dataset.series));
  }
  filter.addEventListener("input", show);
  validOnly.addEventListener("change", show);
  // Open all sections for printing.
  window.addEventListener("beforeprint", () => {
    for (const section of document.querySelectorAll("details")) section.open = true;
  });
  show();
})();
