// Trace: from a commit, a line, a pull request, a deploy or a run to the loop, why it was made, and who let it through.

import { api, go } from "./app.js";
import { code, counted, empty, h, link, money, paths, runLink, state, text, traceLink, who, words } from "./dom.js";

const BOUND = {
  sha: "recorded by the run",
  trailer: "by its Loom-Run line",
  text: "by an id in its message",
  pr: "by its pull request",
  patch: "the same patch",
  range: "the same change, squashed",
  files: "the same change to files",
  lines: "by its lines",
  line: "by this very line",
  commit: "recorded by the run",
  cherry_pick: "picked from its commit",
};
const WAYS = [
  ["shop/tax.py:8", "a line"],
  ["1a2b3c4", "a commit"],
  ["#12", "a pull request"],
  ["deploy:ID", "a deploy"],
  ["run_…", "a run"],
];

const sure = (one) => (one.confidence === undefined ? "" : `${Math.round(one.confidence * 100)} % sure`);
const bound = (one) =>
  text("span", "bound", [BOUND[one.bound_by] || one.bound_by, sure(one)].filter(Boolean).join(", "));
const ago = (one) => one.age && text("span", "soft", ` ${one.age} ago`);
const answersOf = (one) =>
  (one.answers || []).map((each) =>
    typeof each === "string" ? each : `${each.verdict} by ${each.who}${each.why ? `: ${each.why}` : ""}`,
  );

// The four questions that somebody has who sees a line in production.
function answer(trace) {
  const { commits = [], runs = [], deploys = [], later = [] } = trace;
  const tie = trace.line?.run ? trace.line : commits[0];
  const main = runs.find((run) => run.run === tie?.run) || runs[0];
  const made = main
    ? [
        h("b", null, words(main.loop)),
        " of ",
        words(main.who),
        text("div", "soft", runLink(main.run), tie?.bound_by && [" · ", bound(tie)]),
      ]
    : [
        h("b", null, "No loop is known"),
        text("div", "soft", commits[0]?.author ? ["committed by ", words(commits[0].author)] : ""),
      ];
  const intents = (main?.intents || []).map((one) => one.text || one);
  const why = main
    ? [words(intents[0] || main.goal, "quote"), intents[0] && text("div", "soft", "goal: ", words(main.goal))]
    : text("span", "soft", "unattributed");
  const granted = [...(main?.approvals || []), ...deploys.flatMap((one) => one.approvals || [])].flatMap(answersOf);
  const checks = (main?.outcomes || []).filter((one) => one.role === "checker");
  const last = checks.filter((one) => one.status !== "done").at(-1) || checks.at(-1);
  const approvers = [...new Set((main?.decisions || []).flatMap((one) => one.approved_by || []))];
  const allowed = (main?.decisions || []).map((one) => one.answer);
  const through = [
    (granted.length ? granted : approvers.map((one) => `approved by ${one}`)).map((one) => text("div", "", words(one))),
    last
      ? text(
          "div",
          "",
          "checked by ",
          words(last.who || "another run"),
          ": ",
          state(last.status),
          (last.passed || 0) + (last.failed || 0)
            ? ` ${last.passed || 0}/${(last.passed || 0) + (last.failed || 0)}`
            : "",
        )
      : "",
    !granted.length && !approvers.length && allowed.length ? text("div", "", "the rules: ", state(allowed.at(-1))) : "",
  ];
  const through_ = through.flat().filter(Boolean);
  const where = [
    ...deploys
      .slice(0, 3)
      .map((one) => {
        const how = one.how === "gate" ? " let through as " : " with ";
        return text("div", "", state(one.environment, "done"), how, deployLink(one), ago(one));
      }),
    ...later.slice(0, 2).map((one) => text("div", "", state(one.how), " by ", traceLink(one.commit), ago(one))),
  ];
  return h(
    "dl",
    { class: "answer" },
    [
      ["Which loop made it", made],
      ["Why", why],
      [
        "Who let it through",
        through_.length ? through_ : text("span", "soft", "nobody was asked, as far as is recorded"),
      ],
      ["Where it is now", where.length ? where : text("span", "soft", "in no recorded deploy")],
    ].map(([label, value]) => h("div", null, h("dt", null, label), h("dd", null, value))),
  );
}

const deployLink = (one) => traceLink(one.deploy, one.called || one.deploy);
const more = (number) => number && text("div", "soft", `and ${number} more`);
const item = (kind, label, ...kids) => h("li", { class: kind }, h("h2", null, label), h("div", null, kids));
const list = (rows, draw) =>
  rows?.length &&
  h(
    "ul",
    null,
    rows.map((one) => h("li", null, draw(one))),
  );

function commitItem(one) {
  return item(
    "commit",
    "Commit",
    traceLink(one.commit, one.commit.slice(0, 12)),
    " ",
    one.url ? link(one.url, one.title) : words(one.title),
    text(
      "div",
      "",
      text("span", "soft", words(one.author), ago(one), " · "),
      one.run ? [bound(one), " → ", runLink(one.run)] : state("unattributed", "none"),
    ),
    list(one.flags, (flag) => state(typeof flag === "string" ? flag.replaceAll("_", " ") : flag.flag, "stop")),
    one.reverts &&
      text(
        "div",
        "",
        state("reverts", "stop"),
        " ",
        [one.reverts].flat().map((sha) => [traceLink(sha, sha.slice(0, 12)), " "]),
      ),
    list(one.ai, (each) => ["written with ", words([each.tool, each.model, each.person].filter(Boolean).join(", "))]),
    one.candidates?.length &&
      h(
        "details",
        null,
        h("summary", null, counted(one.candidates.length, "other candidate")),
        list(one.candidates, (each) => [runLink(each.run), " ", bound(each)]),
      ),
  );
}

function runItems(run) {
  return [
    item(
      "run",
      "Run",
      runLink(run.run),
      " ",
      who(run),
      " ",
      state(run.state),
      ago(run),
      run.cost_usd !== undefined && text("span", "soft", " · ", money(run.cost_usd)),
      text("div", "", words(run.goal)),
      run.finding && text("div", "soft", "for ", words(run.finding)),
      run.checks_run && text("div", "soft", "checks ", runLink(run.checks_run)),
    ),
    run.intents?.length &&
      item(
        "note",
        "Meant",
        list(run.intents, (one) => words(one.text || one, "quote")),
      ),
    run.claims?.length &&
      item(
        "claim",
        "Held",
        list(run.claims, (one) => [paths(one.paths, 6), one.intent && text("span", "soft", ": ", words(one.intent))]),
      ),
    run.notes?.length &&
      item(
        "note",
        "Told",
        list(run.notes, (one) => [words(one.kind, "soft"), " ", words(one.who), ": ", words(one.text, "quote")]),
        more(run.more_notes),
      ),
    run.outcomes?.length &&
      item(
        "outcome",
        "Outcomes",
        list(run.outcomes, (one) => [
          state(one.status),
          " ",
          text("span", "soft", one.role),
          " ",
          one.passed !== undefined || one.failed !== undefined
            ? `${one.passed || 0} passed, ${one.failed || 0} failed `
            : "",
          words(one.summary || ""),
          ago(one),
        ]),
        more(run.more_outcomes),
      ),
    run.decisions?.length &&
      item(
        "decision",
        "Rules",
        list(run.decisions, (one) => [
          state(one.answer),
          " ",
          words(one.action || ""),
          " ",
          (one.rules || []).map((rule) => [code(rule), " "]),
          (one.why || []).map((why) => words(why, "soft quote")),
          one.approved_by?.length && text("span", "", " approved by ", words(one.approved_by.join(", "))),
          ago(one),
        ]),
        more(run.more_decisions),
      ),
    run.approvals?.length &&
      item(
        "approval",
        "Approval",
        list(run.approvals, (one) => [
          state(one.state),
          " ",
          code(one.approval),
          " ",
          answersOf(one).map((each) => text("div", "", words(each, "quote"))),
        ]),
      ),
  ];
}

function chain(trace) {
  const { commits = [], runs = [], deploys = [], later = [], unchecked = [] } = trace;
  return h(
    "ol",
    { class: "chain", "aria-label": "The chain" },
    deploys.map((one) =>
      item(
        "deploy",
        "Deploy",
        deployLink(one),
        " to ",
        words(one.environment),
        " of ",
        traceLink(one.sha),
        one.who && [" by ", words(one.who)],
        ago(one),
        one.covers && text("div", "soft", words(one.covers)),
        one.how && text("div", "soft", words(one.how)),
        one.decision &&
          text(
            "div",
            "",
            state(one.decision.answer),
            " ",
            (one.decision.rules || []).map((rule) => [code(rule), " "]),
          ),
      ),
    ),
    commits.map(commitItem),
    more(trace.more_commits) && item("", "", more(trace.more_commits)),
    runs.map(runItems),
    more(trace.more_runs) && item("", "", more(trace.more_runs)),
    later.length
      ? item(
          "later",
          "Later",
          list(later, (one) => [
            state(one.how),
            " by ",
            traceLink(one.commit, one.commit.slice(0, 12)),
            " ",
            words(one.who),
            one.run && [" ", runLink(one.run)],
            ago(one),
          ]),
        )
      : "",
    unchecked.length
      ? item(
          "unchecked",
          "Not looked at",
          list(unchecked, (one) => words(typeof one === "string" ? one : one.why)),
        )
      : "",
    trace.next && item("next", "Next", words(trace.next)),
  );
}

export function page({ ref }) {
  const box = h("input", {
    id: "ref",
    type: "search",
    value: ref,
    spellcheck: "false",
    autocomplete: "off",
    autocapitalize: "off",
    maxlength: 300,
    "aria-describedby": "ways",
  });
  const form = h(
    "form",
    {
      role: "search",
      class: "ask",
      onsubmit: (event) => {
        event.preventDefault();
        if (box.value.trim()) go(`/trace/${encodeURIComponent(box.value.trim())}${location.search}`);
      },
    },
    h("label", { for: "ref" }, "Which change"),
    box,
    h("button", { type: "submit", class: "yes" }, "Trace"),
  );
  const ways = h(
    "p",
    { id: "ways", class: "soft" },
    WAYS.map(([one, what], at) => [at ? " · " : "", what, " ", code(one)]),
  );
  const found = h("div", { "aria-live": "polite" });
  let seen = "";
  let isFull = false;
  const whole = h(
    "button",
    { type: "button", id: "whole", onclick: () => self.load((isFull = true)) },
    "All that is kept",
  );
  const self = {
    title: "Trace",
    node: h("div", null, form, ways, found),
    about: /deploy|attribut|outcome|approval|landed|commit/,
    async load() {
      if (!ref)
        return void found.replaceChildren(
          empty(
            "From a line in production to the loop that made it",
            "Type what you see: a line of a file, a commit, a pull request, a deploy or a run. The same in a terminal:",
            "loomstack-mcp trace shop/tax.py:8",
          ),
        );
      let trace;
      try {
        trace = await api(`trace/${encodeURIComponent(ref)}`, { query: { full: isFull ? 1 : "" } });
      } catch (error) {
        if (!error.status || error.status === 401) throw error;
        return void found.replaceChildren(h("p", { role: "alert", class: "trouble" }, words(error.message)));
      }
      const text_ = JSON.stringify(trace);
      if (text_ === seen) return;
      seen = text_;
      found.replaceChildren(answer(trace), chain(trace), isFull ? "" : whole);
    },
  };
  return self;
}
