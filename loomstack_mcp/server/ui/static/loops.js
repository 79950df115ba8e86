// Loops: what came of each, and at what price.

import { api } from "./app.js";
import { empty, h, money, s, span, table, text, words } from "./dom.js";

const PER_DAY = 3;
const HIGH = 24;

// Runs of each of the last days as bars; what failed is the upper part.
function spark(days) {
  if (!days?.length) return "";
  const counts = days.map((one) => (typeof one === "number" ? { runs: one, failed: 0 } : one));
  const most = Math.max(1, ...counts.map((one) => one.runs));
  const sum = counts.reduce((total, one) => total + one.runs, 0);
  const bars = counts.map(({ runs, failed = 0 }, at) => {
    const tall = runs ? Math.max(2, (runs / most) * HIGH) : 0;
    const bad = runs ? (failed / runs) * tall : 0;
    const left = at * PER_DAY;
    return [
      s("rect", { class: "day", x: left, y: HIGH - tall + bad, width: PER_DAY - 1, height: tall - bad }),
      bad && s("rect", { class: "bad", x: left, y: HIGH - tall, width: PER_DAY - 1, height: bad }),
    ];
  });
  const told = `${sum} runs in ${counts.length} days, at most ${most} on one`;
  return s(
    "svg",
    {
      class: "spark",
      role: "img",
      "aria-label": told,
      viewBox: `0 0 ${counts.length * PER_DAY} ${HIGH + 1}`,
      width: counts.length * PER_DAY,
      height: HIGH + 1,
    },
    s("line", { x1: 0, x2: counts.length * PER_DAY, y1: HIGH + 0.5, y2: HIGH + 0.5 }),
    bars,
  );
}

const share = (value) => (value === undefined || value === null ? text("span", "soft", "none yet") : `${value} %`);
const number = (value) => (value ? String(value) : text("span", "soft", "0"));

export function page() {
  const nothing = h("div");
  const loops = table(
    "Loops, with what came of their runs",
    [
      ["Loop", (one) => [words(one.loop, "strong"), h("wbr"), "@", words(one.who)], "name"],
      ["Runs", (one) => number(one.runs), "number"],
      ["30 days", (one) => spark(one.spark || one.days), "chart"],
      ["Success", (one) => share(one.success_percent), "number"],
      ["Rework", (one) => number(one.rework), "number"],
      ["Conflicts caused", (one) => number(one.conflicts_caused), "number"],
      ["Conflicts suffered", (one) => number(one.conflicts_suffered), "number"],
      ["Reversals caused", (one) => number(one.reversals_caused), "number"],
      ["Reversals suffered", (one) => number(one.reversals_suffered), "number"],
      ["Time", (one) => (one.minutes ? span(one.minutes * 60000) : "< 1 min"), "number"],
      ["Cost", (one) => money(one.cost_usd ?? one.cost?.usd), "number"],
      ["Last", (one) => h("a", { href: `/runs/${encodeURIComponent(one.last_run)}` }, one.last_age), "number"],
    ],
    (one) => `${one.loop}@${one.who}`,
  );
  return {
    title: "Loops",
    lead: "A loop is a piece of work that comes again: how often it ran, and what came of it.",
    node: h("div", null, nothing, loops.node),
    about: /run|outcome|conflict/,
    async load() {
      const told = await api("loops");
      const rows = told.loops || told.rows;
      nothing.replaceChildren(
        ...(rows.length
          ? []
          : [
              empty(
                "No loop has run here yet",
                "Name one, with one goal, in a session of Claude Code:",
                "/loom-run triage make the trunk green",
              ),
            ]),
      );
      loops.node.hidden = !rows.length;
      loops.fill(rows);
    },
  };
}
