"use strict";
(() => {
  const form = document.getElementById("filters");
  const cases = [...document.querySelectorAll("[data-state]")];
  const arcs = [...document.querySelectorAll("[data-of]")];
  const folded = document.getElementById("agreed");
  const count = document.getElementById("count");
  const isWanted = (one, wanted) =>
    (!wanted.person || one.dataset.people.split("\n").includes(wanted.person)) &&
    one.dataset.paths.toLowerCase().includes(wanted.path.trim().toLowerCase()) &&
    (!wanted.state || one.dataset.state === wanted.state) &&
    (!wanted.kind || one.dataset.kind === wanted.kind);
  const show = () => {
    const wanted = Object.fromEntries(new FormData(form));
    for (const one of cases) one.hidden = !isWanted(one, wanted);
    const gone = new Set(cases.filter((one) => one.hidden).map((one) => one.id));
    for (const arc of arcs) arc.setAttribute("display", gone.has(arc.dataset.of) ? "none" : "inline");
    if (folded && wanted.state) folded.open = wanted.state === "agreed";
    count.textContent = `${cases.length - gone.size} of ${cases.length} shown`;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("reset", () => setTimeout(show));
  form.addEventListener("submit", (event) => event.preventDefault());
  show();
})();
