// One run: what it is for, what it holds, what came of it, and all that happened, newest first.

import { api } from "./app.js";
import { code, h, keep, money, paths, runLink, span, state, table, text, traceLink, who, words } from "./dom.js";

const EVENTS = 200;

export function page({ ref }) {
  const head = h("div", { class: "head" });
  const claims = table(
    "Claims of this run",
    [
      ["Paths", (one) => paths(one.paths, 8), "wide"],
      ["Intent", (one) => words(one.intent), "wide"],
      ["Mode", (one) => words(one.mode), "tight"],
      ["Ends", (one) => (one.ended ? words(one.ended) : `in ${span(one.expires_in_s * 1000)}`), "number"],
    ],
    (one) => one.claim,
  );
  const outcomes = table(
    "Outcomes of this run",
    [
      ["Outcome", (one) => state(one.status)],
      ["By", (one) => [words(one.role), " ", one.by !== ref && runLink(one.by)]],
      [
        "Checks",
        (one) =>
          one.passed || one.failed ? `${one.passed || 0} of ${(one.passed || 0) + (one.failed || 0)} passed` : "",
      ],
      ["Said", (one) => words(one.summary || ""), "wide"],
      ["Commits", (one) => (one.commits || []).map((sha) => [traceLink(sha, sha.slice(0, 10)), " "])],
      ["Age", (one) => one.age, "number"],
    ],
    (one) => one.outcome,
  );
  const events = table(
    "Events of this run, newest first",
    [
      ["Event", (one) => words(one.kind)],
      ["About", (one) => one.about && code(one.about), "wide"],
      ["Age", (one) => one.age, "number"],
    ],
    (one) => one.seq,
  );
  const parts = [
    ["Claims", claims],
    ["Outcomes", outcomes],
    ["Events", events],
  ].map(([label, one]) => ({ one, node: h("section", { hidden: true }, h("h2", null, label), one.node) }));
  const show = (at, rows = []) => {
    parts[at].node.hidden = !rows.length;
    parts[at].one.fill(rows);
  };
  const fact = ([label, value]) =>
    value && [value].flat().filter(Boolean).length && h("div", null, h("dt", null, label), h("dd", null, value));
  return {
    title: ref,
    node: h(
      "div",
      null,
      head,
      parts.map((one) => one.node),
    ),
    ages: true,
    async load() {
      const [run, log] = await Promise.all([
        api(`runs/${encodeURIComponent(ref)}`),
        api("events", { query: { limit: EVENTS } }).catch(() => ({ rows: [] })),
      ]);
      keep(
        head,
        [run],
        () => "run",
        () =>
          h(
            "dl",
            { class: "facts" },
            [
              ["State", state(run.state === "live" ? "running" : run.state)],
              ["Loop", who(run)],
              ["Goal", words(run.goal)],
              ["Checks", run.checks_run && runLink(run.checks_run)],
              ["Branch", run.branch && code(run.branch)],
              ["Paths", run.paths?.length && paths(run.paths, 8)],
              ["Started", `${run.age} ago`],
              ["Cost", money(run.cost_usd ?? run.cost?.usd)],
              ["Chain", text("span", "", traceLink(run.run, "trace what it made"))],
            ].map(fact),
          ),
      );
      show(0, run.claims);
      show(1, run.outcomes);
      show(
        2,
        (run.events || log.rows.filter((one) => one.run === ref)).slice().sort((a, b) => b.seq - a.seq),
      );
    },
  };
}
