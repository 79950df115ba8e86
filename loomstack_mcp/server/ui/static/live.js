// Live: a lane for each loop on a time line, who works where, and who waits for whom; below it the same as a table.

import { api, say } from "./app.js";
import {
  clock,
  counted,
  empty,
  figures,
  h,
  keep,
  look,
  money,
  paths,
  runLink,
  runsOf,
  s,
  span,
  state,
  table,
  text,
  who,
  words,
} from "./dom.js";

const CHOICES = [
  [5, "5 minutes"],
  [15, "15 minutes"],
  [60, "hour"],
  [180, "3 hours"],
  [720, "12 hours"],
  [1440, "24 hours"],
  [10080, "7 days"],
];
const FITTING_MIN = [0.5, 1, 1.5, 2, 3, 5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 360, 720];
const STEPS_MIN = [0.25, 0.5, 1, 2, 5, 10, 15, 30, 60, 120];
const TOLD_MIN = 180;
const MINUTE_MS = 60000;
const BAR = 14;
const ROW = 24;
const HEAD = 26;
const GONE = { running: "", checking: "", waiting: "", lapsed: "" };

const wordOf = (run) => (run.state === "ended" ? run.status || "ended" : run.state);
const isLive = (run) => run.state in GONE;
const ended = (run, now) => (isLive(run) ? now : run.ended_at_ms || run.seen_at_ms || now);

export function page() {
  const top = h("div");
  const chosen = h(
    "select",
    { id: "window", onchange: () => self.load() },
    h("option", { value: "" }, "all of it"),
    CHOICES.map(([minutes, label]) => h("option", { value: minutes }, `the last ${label}`)),
  );
  const names = h("ol", { class: "names", "aria-hidden": "true" });
  const chart = s("svg", { role: "group", "aria-label": "Runs on a time line; the table below has the same" });
  const lanes = h("section", { class: "lanes", "aria-label": "Time line" }, names, chart);
  const legend = h(
    "p",
    { class: "legend", "aria-hidden": "true" },
    ["running", "waiting", "done", "failed"].map((one) => state(one)),
  );
  const runs = table(
    "Runs, newest first",
    [
      [
        "State",
        (run) => [
          state(wordOf(run)),
          run.last_outcome &&
            !run.last_outcome.startsWith(`${run.status} by maker`) &&
            text("div", "soft small", words(run.last_outcome)),
        ],
      ],
      ["Run", (run) => runLink(run.run), "id"],
      ["Loop", who, "name"],
      ["Goal", (run) => words(run.goal), "wide"],
      [
        "Works in",
        (run) =>
          paths(
            (run.claims || []).flatMap((claim) => claim.paths),
            3,
          ),
        "mid",
      ],
      [
        "Waits for",
        (run) =>
          (run.waits_for || []).map((one) =>
            text("div", "", who(one), " ", runLink(one.run), " ", paths(one.paths, 2)),
          ),
        "mid",
      ],
      ["Age", (run) => run.age || span(shown.now - run.started_at_ms), "number"],
      ["Cost", (run) => money(run.cost_usd ?? run.cost?.usd), "number"],
    ],
    (run) => run.run,
  );
  const nothing = h("div");
  const picture = h(
    "div",
    null,
    h("div", { class: "row" }, h("label", { for: "window" }, "Show"), chosen, legend),
    lanes,
    runs.node,
  );
  const shown = { rows: [], now: Date.now() };

  function draw() {
    const { rows, now } = shown;
    const live = rows.filter(isLive);
    const waiting = live.filter((run) => run.waits_for?.length || run.state === "waiting");
    const stops = rows.reduce((sum, run) => sum + (run.conflicts?.length || 0), 0);
    const loops = new Set(live.map((run) => run.loop)).size;
    top.replaceChildren(
      figures([
        [live.length - waiting.length, "at work", "run"],
        [waiting.length, "waiting", waiting.length ? "wait" : ""],
        [loops, loops === 1 ? "loop" : "loops", ""],
        [stops, stops === 1 ? "open conflict" : "open conflicts", stops ? "stop" : ""],
        [rows.length - live.length, "over", ""],
      ]),
    );
    say(`${counted(live.length, "run")} at work, ${waiting.length} waiting, ${counted(stops, "open conflict")}`);
    nothing.replaceChildren(
      ...(rows.length
        ? []
        : [
            empty(
              "No loop has run here yet",
              "As soon as a session of Claude Code or Codex works in this repository, its loop gets a lane here. Set up both, and start one:",
              "loomstack-mcp init\nclaude",
            ),
          ]),
    );
    picture.hidden = !rows.length;
    runs.fill(rows);
    if (rows.length) drawLanes(rows, now);
  }

  function drawLanes(rows, now) {
    const width = chart.clientWidth || 600;
    const narrow = matchMedia("(max-width:700px)").matches;
    const minutes = Number(chosen.value) || fitting(rows, now);
    const from = now - minutes * MINUTE_MS;
    const x = (ms) => Math.max(0, ((ms - from) / (now - from)) * (width - 14));
    const seen = lanesOf(
      rows.filter((run) => ended(run, now) >= from),
      now,
    );
    const at = {};
    let y = HEAD;
    const tops = seen.map((lane) => {
      const top = y;
      y += lane.deep * ROW + (narrow ? 24 : 10);
      for (const run of lane.runs) at[run.run] = top + (narrow ? 20 : 5) + run.row * ROW;
      return top;
    });
    keep(
      names,
      seen.map(({ name, loop, who: owner, deep }, nr) => ({
        name,
        loop,
        owner,
        top: tops[nr],
        height: deep * ROW + 10,
      })),
      (one) => one.name,
      (one) => {
        const name = h("li", null, words(one.loop), text("span", "soft", "@", words(one.owner)));
        name.style.top = `${one.top}px`;
        name.style.height = `${one.height}px`;
        return name;
      },
    );
    chart.setAttribute("height", y + 6);
    lanes.style.height = `${y + 6}px`;
    const ticks = ticksOf(from, now, minutes, width).map((ms) => [
      s("line", { class: "tick", x1: x(ms), x2: x(ms), y1: 18, y2: y }),
      s(
        "text",
        { class: "hour", x: x(ms), y: 12, "text-anchor": x(ms) < 20 ? "start" : "middle" },
        clock(ms, minutes < 10, minutes > 1440),
      ),
    ]);
    const threads = seen.map((lane, nr) =>
      s("line", { class: "thread", x1: 0, x2: width, y1: tops[nr], y2: tops[nr] }),
    );
    const shownRuns = seen.flatMap((lane) => lane.runs);
    const bars = shownRuns.map((run) => bar(run, at[run.run], x, now));
    const ties = shownRuns.flatMap((run) =>
      (isLive(run) ? run.waits_for || [] : [])
        .filter((one) => one.run in at)
        .map((one, nr) => tie(run, one, at, x, now, nr)),
    );
    const focused = document.activeElement?.id;
    chart.replaceChildren(
      s(
        "defs",
        null,
        s(
          "pattern",
          { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
          s("rect", { width: 3, height: 6 }),
        ),
      ),
      ...ticks.flat(),
      ...threads,
      s("line", { class: "now", x1: x(now), x2: x(now), y1: 18, y2: y }),
      ...ties,
      ...bars,
    );
    if (focused?.startsWith("bar-")) document.getElementById(focused)?.focus({ preventScroll: true });
  }

  new ResizeObserver(() => shown.rows.length && drawLanes(shown.rows, shown.now)).observe(lanes);
  const self = {
    title: "Live",
    node: h("div", null, top, nothing, picture),
    ages: true,
    async load() {
      const live = await api("live", { query: { hours: chosen.value > TOLD_MIN ? chosen.value / 60 : "" } });
      const rows = runsOf(live).sort((a, b) => isLive(b) - isLive(a) || b.started_at_ms - a.started_at_ms);
      Object.assign(shown, { rows, now: live.now_ms });
      draw();
    },
  };
  return self;
}

// The shortest window that has it all; what is at work for longer than half a day begins before it.
function fitting(rows, now) {
  const oldest = Math.min(...rows.map((run) => run.started_at_ms));
  return FITTING_MIN.find((minutes) => now - oldest < minutes * MINUTE_MS * 0.97) || FITTING_MIN.at(-1);
}

// A lane for each loop; of its runs, those that overlap lie below one another.
function lanesOf(rows, now) {
  const lanes = new Map();
  for (const run of [...rows].sort((a, b) => a.started_at_ms - b.started_at_ms)) {
    const name = `${run.loop}@${run.who}`;
    const lane = lanes.get(name) || { name, loop: run.loop, who: run.who, runs: [], free: [], live: 0, last: 0 };
    lanes.set(name, lane);
    let row = lane.free.findIndex((ms) => ms <= run.started_at_ms);
    if (row < 0) row = lane.free.length;
    lane.free[row] = ended(run, now);
    lane.runs.push({ ...run, row });
    lane.live += isLive(run);
    lane.last = run.started_at_ms;
  }
  const sorted = [...lanes.values()].sort((a, b) => (b.live > 0) - (a.live > 0) || b.last - a.last);
  return sorted.map((lane) => ({ ...lane, deep: lane.free.length }));
}

function ticksOf(from, now, minutes, width) {
  const step = (STEPS_MIN.find((one) => minutes / one <= width / 70) || 1440) * MINUTE_MS;
  const shift = new Date().getTimezoneOffset() * MINUTE_MS;
  const ticks = [];
  for (let ms = Math.ceil((from - shift) / step) * step + shift; ms < now - step * 0.3; ms += step) ticks.push(ms);
  return ticks;
}

function bar(run, y, x, now) {
  const [left, right] = [x(run.started_at_ms), x(ended(run, now))];
  const wide = Math.max(4, right - left);
  const waits = isLive(run) && run.waits_for?.length ? Math.max(left, x(since(run.waits_for[0], run))) : right;
  const told = `${run.loop}, ${run.who}: ${run.goal}. ${wordOf(run)}, ${span(ended(run, now) - run.started_at_ms)}`;
  const kind = run.waits_for?.length && isLive(run) ? "run" : look(wordOf(run));
  return s(
    "a",
    { href: `/runs/${encodeURIComponent(run.run)}`, id: `bar-${run.run}`, class: kind, "aria-label": told },
    s("title", null, told),
    s("rect", { class: "bar", x: left, y, width: wide, height: BAR, rx: 3 }),
    waits < right && s("rect", { class: "hatch", x: waits, y, width: right - waits, height: BAR, rx: 3 }),
    waits - left > 90 && s("text", { x: left + 6, y: y + 11 }, clipped(run.goal, waits - left)),
  );
}

const clipped = (value, wide) => {
  const most = Math.floor((wide - 12) / 6.2);
  return value.length > most ? `${value.slice(0, Math.max(0, most - 1))}…` : value;
};

const since = (wait, run) => wait.since_at_ms || run.started_at_ms;

// From who waits to whom it waits for.
function tie(run, wait, at, x, now, nr) {
  const [from, to] = [at[run.run] + BAR / 2, at[wait.run] + BAR / 2];
  const left = Math.min(x(now) - 8, Math.max(8, x(since(wait, run)) + 4)) - nr * 7;
  const down = to > from ? 1 : -1;
  return s(
    "g",
    { class: "tie" },
    s("path", { d: `M${left} ${from}V${to - down * 9}` }),
    s("path", {
      class: "tip",
      d: `M${left - 4} ${to - down * 14}L${left} ${to - down * 8}L${left + 4} ${to - down * 14}`,
    }),
  );
}
