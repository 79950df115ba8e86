// Claims: the repository as a map; how large a folder is says how much is held there, its colour whether that clashes.

import { api, say } from "./app.js";
import { code, counted, empty, h, paths, runLink, runsOf, s, span, state, table, text, who, words } from "./dom.js";

const HIGH = 360;
const GAP = 3;
const LABEL = 22;
const DEEP = 3;

// Squarified treemap (Bruls, Huizing and van Wijk, 2000): rows of boxes that are as square as they can be.
export function squares(items, box) {
  const total = items.reduce((sum, one) => sum + one.size, 0);
  const laid = [];
  let { x, y, w, hh } = { ...box, hh: box.h };
  let left = items.map((one) => ({ ...one, area: (one.size / total) * box.w * box.h })).sort((a, b) => b.area - a.area);
  while (left.length) {
    const side = Math.min(w, hh);
    const worst = (row) => {
      const sum = row.reduce((all, one) => all + one.area, 0);
      return Math.max(
        ...row.map((one) => Math.max((side * side * one.area) / (sum * sum), (sum * sum) / (side * side * one.area))),
      );
    };
    let taken = 1;
    while (taken < left.length && worst(left.slice(0, taken + 1)) <= worst(left.slice(0, taken))) taken += 1;
    const row = left.slice(0, taken);
    left = left.slice(taken);
    const sum = row.reduce((all, one) => all + one.area, 0);
    const deep = side ? sum / side : 0;
    let along = 0;
    for (const one of row) {
      const long = deep ? one.area / deep : 0;
      laid.push(
        w >= hh ? { ...one, x, y: y + along, w: deep, h: long } : { ...one, x: x + along, y, w: long, h: deep },
      );
      along += long;
    }
    if (w >= hh) [x, w] = [x + deep, w - deep];
    else [y, hh] = [y + deep, hh - deep];
  }
  return laid;
}

// What a pattern names without a wildcard.
const placeOf = (pattern) => {
  const steps = pattern.split("/").filter(Boolean);
  const wild = steps.findIndex((one) => /[*?[{]/.test(one));
  return (wild < 0 ? steps : steps.slice(0, wild)).join("/");
};
const isIn = (place, pattern) => {
  const at = placeOf(pattern);
  return !place || at === place || at.startsWith(`${place}/`) || (pattern.length > at.length && place.startsWith(at));
};

// Every place by its path, with a name, and with a size also where nothing is held and something clashes.
function placesOf(at, places = new Map()) {
  at.name = at.path.slice(at.path.lastIndexOf("/") + 1);
  at.size = Math.max(at.claims, at.conflicts ? 1 : 0);
  places.set(at.path, at);
  for (const one of at.below || []) placesOf(one, places);
  return places;
}

export function page() {
  const found = { claims: [], places: new Map(), waits: [] };
  let folder = "";
  const map = s("svg", {
    class: "map",
    role: "group",
    "aria-label": "Folders by how many claims lie in them; the table below has the same",
    height: HIGH,
  });
  const crumbs = h("p", { class: "crumbs" });
  const side = h("section", { class: "panel", "aria-live": "polite", "aria-label": "The chosen folder" });
  const nothing = h("div");
  const claims = table(
    "Claims",
    [
      ["Paths", (one) => paths(one.paths, 5), "wide"],
      ["Holder", (one) => [who(one), " ", runLink(one.run)]],
      ["Intent", (one) => words(one.intent), "wide"],
      ["Mode", (one) => words(one.mode), "tight"],
      ["Held", (one) => (one.origin === "auto" ? "by its edits" : "asked for"), "tight"],
      ["Ends in", (one) => span(one.expires_in_s * 1000), "number"],
    ],
    (one) => one.claim,
  );
  const whole = h("div", null, crumbs, h("div", { class: "mapped" }, map, side), claims.node);

  function draw() {
    const at = found.places.get(folder) || found.places.get("");
    folder = at.path;
    const parts = folder ? folder.split("/") : [];
    const step = (path, label) =>
      path === folder
        ? text("b", "", words(label))
        : h("button", { type: "button", class: "plain", id: `crumb-${path}`, onclick: () => pick(path) }, words(label));
    crumbs.replaceChildren(
      step("", "the repository"),
      ...parts.flatMap((part, nr) => [" / ", step(parts.slice(0, nr + 1).join("/"), part)]),
    );
    const focused = document.activeElement?.id;
    const width = map.clientWidth || 600;
    map.replaceChildren(...boxes(at, { x: 0, y: 0, w: width, h: HIGH }, 1));
    if (focused?.startsWith("box-")) document.getElementById(focused)?.focus({ preventScroll: true });
    const inside = found.claims.filter((one) => one.paths.some((path) => isIn(folder, path)));
    drawSide(at, inside);
    claims.fill(inside);
  }

  function boxes(at, box, level) {
    const own = (at.held || []).length;
    const items = (at.below || []).length
      ? [...at.below, { ...at, below: [], size: own, claims: own, conflicts: 0, isRest: true }]
      : level > 1
        ? []
        : [{ ...at, isRest: true }];
    return squares(
      items.filter((one) => one.size),
      box,
    ).flatMap((one) => {
      const [x, y, w, hh] = [one.x + GAP / 2, one.y + GAP / 2, Math.max(1, one.w - GAP), Math.max(1, one.h - GAP)];
      const isFolder = isFolderAt(one);
      const label = one.isRest ? "the whole of it" : isFolder ? `${one.name}/` : one.name;
      const told = `${one.isRest ? `all of ${one.path || "the repository"}` : one.path}: ${counted(one.claims, "claim")}, ${counted(one.conflicts, "open conflict")}`;
      const goes = one.path;
      const act = () => pick(goes);
      const box_ = s(
        "g",
        {
          class: `box ${one.conflicts ? "stop" : "run"} ${one.isRest ? "rest" : ""}`,
          id: `box-${one.isRest ? "rest-" : ""}${one.path}`,
          tabindex: 0,
          role: "button",
          "aria-label": told,
          onclick: act,
          onkeydown: (event) => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), act()),
        },
        s("title", null, told),
        s("rect", { x, y, width: w, height: hh, rx: 4 }),
        w > 46 && hh > 20 && s("text", { x: x + 8, y: y + 16 }, clipped(label, w - 40)),
        w > 46 &&
          hh > 20 &&
          s("text", { class: "count", x: x + w - 8, y: y + 16, "text-anchor": "end" }, String(one.claims)),
      );
      const goesOn = !one.isRest && (one.below || []).length > 0 && level < DEEP && w > 120 && hh > 80;
      return goesOn
        ? [box_, ...boxes(one, { x: x + 4, y: y + LABEL, w: w - 8, h: hh - LABEL - 4 }, level + 1)]
        : [box_];
    });
  }

  const isFolderAt = (one) =>
    (one.below || []).length > 0 ||
    found.claims.some((claim) => claim.paths.some((path) => path.startsWith(`${one.path}/`)));

  function drawSide(at, inside) {
    const waits = found.waits.filter((one) => one.paths.some((path) => isIn(folder, path)));
    side.replaceChildren(
      h("h2", null, folder ? code(isFolderAt(at) ? `${folder}/` : folder) : "The whole repository"),
      text(
        "p",
        "",
        counted(inside.length, "claim"),
        ", ",
        at.conflicts ? state(counted(at.conflicts, "open conflict"), "stop") : "no open conflict",
      ),
      h("h3", null, "Holders"),
      h(
        "ul",
        null,
        inside
          .slice(0, 6)
          .map((one) =>
            h(
              "li",
              null,
              who(one),
              " ",
              runLink(one.run),
              text("div", "soft", words(one.intent), ` · ends in ${span(one.expires_in_s * 1000)}`),
            ),
          ),
      ),
      (inside.length > 6 && text("p", "soft", `and ${inside.length - 6} more, in the table`)) || "",
      h("h3", null, "Queue"),
      waits.length
        ? h(
            "ol",
            null,
            waits.map((one) =>
              h("li", null, who(one), " ", runLink(one.run), text("div", "soft", "for ", paths(one.paths, 3))),
            ),
          )
        : text("p", "soft", "nobody waits here"),
    );
  }

  function pick(path) {
    folder = path;
    draw();
    say(`${path || "the repository"} chosen`);
  }

  new ResizeObserver(() => found.places.size && draw()).observe(map);
  return {
    title: "Claims",
    lead: "What is held now. The larger a folder, the more claims lie in it; red where they clash with what has landed.",
    node: h("div", null, nothing, whole),
    ages: true,
    about: /claim|run|conflict|wait/,
    async load() {
      const [claims_, tree, live] = await Promise.all([
        api("claims"),
        api("claims/tree"),
        api("live").catch(() => ({ rows: [] })),
      ]);
      found.claims = claims_.rows;
      found.places = placesOf(tree.tree);
      const runs = runsOf(live);
      found.waits = runs.flatMap((run) =>
        (run.waits_for || []).length
          ? [{ run: run.run, loop: run.loop, who: run.who, paths: run.waits_for.flatMap((one) => one.paths) }]
          : [],
      );
      nothing.replaceChildren(
        ...(found.claims.length
          ? []
          : [
              empty(
                "Nothing is held",
                "A session holds each file that it edits, by itself, until it is committed; and whatever it claims before. Watch it happen:",
                "loomstack-mcp demo --ui",
              ),
            ]),
      );
      whole.hidden = !found.claims.length;
      if (found.claims.length) draw();
    },
  };
}

const clipped = (value, wide) => {
  const most = Math.max(1, Math.floor(wide / 7));
  return value.length > most ? `${value.slice(0, most - 1)}…` : value;
};
