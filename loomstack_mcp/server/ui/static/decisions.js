// Decisions: what the rules said to which action, and by which of them; sorted out by facets.

import { api } from "./app.js";
import { code, empty, h, keep, runLink, state, table, text, who, words } from "./dom.js";

const FACETS = [
  ["answer", "Answer"],
  ["point", "Point"],
  ["rules", "Rule"],
  ["loop", "Loop"],
];
const SHOWN = 8;
const ruleOf = (one) => (typeof one === "string" ? one : one.rule);
const valuesOf = (row, facet) => (facet === "rules" ? (row.rules || row.reasons || []).map(ruleOf) : [row[facet]]).filter(Boolean);

export function page() {
  const chosen = new Map();
  const found = { rows: [], before: "" };
  const facets = h("div", { class: "facets" });
  const count = h("p", { class: "soft", role: "status" });
  const nothing = h("div");
  const list = table("Decisions, newest first", [
    ["Answer", (one) => state(one.answer || one.effect)],
    ["Action", (one) => [words([one.action || one.actions || []].flat().join(", ")), one.target && [" ", code(one.target)]], "wide"],
    ["Point", (one) => code(one.point)],
    ["By", (one) => reasons(one), "wide"],
    ["For", (one) => [who(one), " ", runLink(one.run)]],
    ["Age", (one) => one.age, "number"],
    ["Decision", (one) => code(one.decision || one.id)],
  ], (one) => one.decision || one.id);
  const older = h("button", { type: "button", id: "older", onclick: () => more() }, "Older ones");
  const all = h("div", { class: "sided" }, facets, h("div", null, count, list.node, older));

  function reasons(one) {
    return (one.reasons || one.rules || []).map((each) => (typeof each === "string" ? text("div", "", code(each)) : text("div", "", code(each.rule), each.why ? [" ", words(each.why, "soft")] : "")));
  }

  function draw() {
    const fits = (row, besides) => [...chosen].every(([facet, value]) => facet === besides || !value || valuesOf(row, facet).includes(value));
    keep(facets, FACETS, ([facet]) => facet, ([facet, label]) => h("fieldset", null, h("legend", null, label), h("div", { id: `facet-${facet}` })));
    for (const [facet, label] of FACETS) {
      const counts = new Map();
      for (const row of found.rows.filter((one) => fits(one, facet))) for (const value of valuesOf(row, facet)) counts.set(value, (counts.get(value) || 0) + 1);
      if (chosen.get(facet) && !counts.has(chosen.get(facet))) counts.set(chosen.get(facet), 0);
      const sorted = [...counts].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
      const place = document.getElementById(`facet-${facet}`) || facets.querySelector(`#facet-${facet}`);
      keep(place, sorted, ([value]) => value, ([value, number]) => {
        const pressed = chosen.get(facet) === value;
        return h("button", { type: "button", id: `facet-${facet}-${sorted.findIndex((one) => one[0] === value)}`, "aria-pressed": String(pressed), "aria-label": `${label} ${value}, ${number}`, onclick: () => pick(facet, value) }, words(value), text("span", "soft", number));
      });
      for (const [at, [value]] of sorted.entries()) place.children[at].setAttribute("aria-pressed", String(chosen.get(facet) === value));
      place.parentElement.hidden = !sorted.length;
    }
    const rows = found.rows.filter((row) => fits(row));
    list.fill(rows);
    count.textContent = `${rows.length} of ${found.rows.length} shown`;
    all.hidden = !found.rows.length;
    older.hidden = !found.before;
    nothing.replaceChildren(...(found.rows.length ? [] : [empty("No rule has decided anything yet", "Rules say what loops may do, what needs a person, and what nobody may. See those in force here:", "loomstack-mcp policy show")]));
  }

  function pick(facet, value) {
    chosen.set(facet, chosen.get(facet) === value ? "" : value);
    draw();
  }

  async function more() {
    const { rows, more: before } = await api("decisions", { query: { before: found.before } });
    found.rows.push(...rows);
    found.before = before;
    draw();
  }

  return {
    title: "Decisions",
    lead: "What the rules said to what a loop was about to do.",
    node: h("div", null, nothing, all),
    about: /decision|approval/,
    async load() {
      const { rows, more: before } = await api("decisions");
      const seen = new Set(rows.map((one) => one.decision || one.id));
      const kept = found.rows.filter((one) => !seen.has(one.decision || one.id));
      found.rows = [...rows, ...(kept.length && found.before ? kept : [])];
      if (!kept.length) found.before = before;
      draw();
    },
  };
}
