// Decisions: what the rules said to which action, and by which of them; sorted out by facets.

import { api } from "./app.js";
import { code, empty, h, keep, paths, runLink, state, table, text, who, words } from "./dom.js";

const FACETS = [
  ["answer", "Answer"],
  ["point", "Point"],
  ["rules", "Rule"],
  ["who", "Who"],
];
const SHOWN = 8;
const valuesOf = (row, facet) => [row[facet]].flat().filter(Boolean);

export function page() {
  const chosen = new Map();
  const found = { rows: [], before: "" };
  const facets = h("div", { class: "facets" });
  const count = h("p", { class: "soft", role: "status" });
  const nothing = h("div");
  const list = table(
    "Decisions, newest first",
    [
      ["Answer", (one) => [state(one.answer), text("div", "soft", code(one.decision))], "id"],
      ["Action", (one) => [words((one.actions || []).join(", ")), text("div", "", paths(one.paths, 4))], "mid"],
      ["At", (one) => code(one.point), "tight"],
      ["By", (one) => reasons(one), "wide"],
      ["Who", (one) => [who(one), text("div", "", runLink(one.run))], "id"],
      ["Age", (one) => one.age, "number"],
    ],
    (one) => one.decision,
  );
  const older = h("button", { type: "button", id: "older", onclick: () => more() }, "Older ones");
  const all = h("div", { class: "sided" }, facets, h("div", null, count, list.node, older));

  function reasons(one) {
    return (one.reasons || []).map((each) =>
      text("div", "", code(each.rule || "a default"), each.why ? [" ", words(each.why, "soft")] : ""),
    );
  }

  function draw() {
    const fits = (row, besides) =>
      [...chosen].every(([facet, value]) => facet === besides || !value || valuesOf(row, facet).includes(value));
    keep(
      facets,
      FACETS,
      ([facet]) => facet,
      ([facet, label]) => h("fieldset", null, h("legend", null, label), h("div", { id: `facet-${facet}` })),
    );
    for (const [facet, label] of FACETS) {
      const counts = new Map();
      for (const row of found.rows.filter((one) => fits(one, facet)))
        for (const value of valuesOf(row, facet)) counts.set(value, (counts.get(value) || 0) + 1);
      if (chosen.get(facet) && !counts.has(chosen.get(facet))) counts.set(chosen.get(facet), 0);
      const sorted = [...counts].sort((a, b) => b[1] - a[1]).slice(0, SHOWN);
      const place = document.getElementById(`facet-${facet}`) || facets.querySelector(`#facet-${facet}`);
      keep(
        place,
        sorted,
        ([value]) => value,
        ([value, number]) => {
          const pressed = chosen.get(facet) === value;
          return h(
            "button",
            {
              type: "button",
              id: `facet-${facet}-${sorted.findIndex((one) => one[0] === value)}`,
              "aria-pressed": String(pressed),
              "aria-label": `${label} ${value}, ${number}`,
              onclick: () => pick(facet, value),
            },
            words(value),
            text("span", "soft", number),
          );
        },
      );
      for (const [at, [value]] of sorted.entries())
        place.children[at].setAttribute("aria-pressed", String(chosen.get(facet) === value));
      place.parentElement.hidden = !sorted.length;
    }
    const rows = found.rows.filter((row) => fits(row));
    list.fill(rows);
    count.textContent = `${rows.length} of ${found.rows.length} shown`;
    all.hidden = !found.rows.length;
    older.hidden = !found.before;
    nothing.replaceChildren(
      ...(found.rows.length
        ? []
        : [
            empty(
              "No rule has decided anything yet",
              "Rules say what loops may do, what needs a person, and what nobody may. How to write the first one:",
              "loomstack-mcp help rules",
            ),
          ]),
    );
  }

  function pick(facet, value) {
    chosen.set(facet, chosen.get(facet) === value ? "" : value);
    draw();
  }

  async function more() {
    const { rows, more: isMore } = await api("decisions", { query: { before: found.before } });
    found.rows.push(...rows);
    found.before = isMore ? rows.at(-1).decision : "";
    draw();
  }

  return {
    title: "Decisions",
    lead: "What the rules said to what a loop was about to do.",
    node: h("div", null, nothing, all),
    about: /decision|approval/,
    async load() {
      const { rows, more: isMore } = await api("decisions");
      const known = found.rows.findIndex((one) => one.decision === rows.at(-1)?.decision);
      if (known < 0) found.before = isMore ? rows.at(-1).decision : "";
      found.rows = [...rows, ...(known < 0 ? [] : found.rows.slice(known + 1))];
      draw();
    },
  };
}
