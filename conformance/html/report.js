"use strict";
const form = document.querySelector("form");
const rows = [...document.querySelectorAll("[data-row]")];
const shown = document.querySelector("output");

function filter() {
  const wanted = new FormData(form);
  const words = wanted.get("words").toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (row, name) => !wanted.get(name) || row.dataset[name].split(" ").includes(wanted.get(name));
  let count = 0;
  for (const row of rows) {
    const text = row.dataset.text.toLowerCase();
    row.hidden = !["verdict", "section", "level"].every((name) => fits(row, name)) ||
      !words.every((word) => text.includes(word));
    count += row.localName === "tr" && !row.hidden;
  }
  shown.value = count + " shown";
}

form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
form.hidden = false;
filter();
