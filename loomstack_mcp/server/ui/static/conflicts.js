// Conflicts: two changes that cannot both stand, each by its hashes and paths. What stands in them is seen in a clone.

import { api } from "./app.js";
import { code, empty, h, keep, link, paths, runLink, state, text, traceLink, words } from "./dom.js";

const KINDS = {
  undo: "takes back what landed",
  stale_base: "comes from an old copy",
  ping_pong: "goes back and forth",
  intent: "against what somebody meant",
  already_landed: "has landed already",
};
const STATES = ["open", "settled", "void", "all"];
const MARKS = 12;

const few = (all, shown) =>
  all?.length
    ? [all.slice(0, MARKS).map(shown), all.length > MARKS && text("span", "soft", ` and ${all.length - MARKS} more`)]
    : "";
const landed = (mark) => text("span", "hash", mark);
// A whole file that would be as it was has neither a mark nor lines.
const own = (one) =>
  h(
    "div",
    null,
    one.mark ? text("span", "hash", one.mark) : text("span", "soft", "as it was "),
    code(one.lines ? `${one.path}:${one.lines}` : one.path),
  );

function side(title, rows) {
  return h(
    "section",
    { class: "side" },
    h("h3", null, title),
    h(
      "dl",
      null,
      rows
        .filter(([, value]) => value && [value].flat().length)
        .map(([label, value]) => h("div", null, h("dt", null, label), h("dd", null, value))),
    ),
  );
}

function card(one) {
  return h(
    "article",
    { class: `card ${one.verdict}` },
    h(
      "header",
      null,
      state(one.verdict),
      h("h2", null, KINDS[one.kind] || one.kind),
      text("span", "soft", words(one.state), " · ", one.age),
      code(one.conflict),
    ),
    h(
      "div",
      { class: "sides" },
      side("What has landed", [
        ["Commit", [traceLink(one.commit.slice(0, 12)), " ", words(one.title)]],
        ["By", [words(one.who), " ", runLink(one.with_run)]],
        ["Meant", one.intent && words(one.intent, "quote")],
        ["Paths", [paths(one.paths, 8), one.more_paths && ` and ${one.more_paths} more`]],
        ["Hunks", few(one.marks, landed)],
      ]),
      side("What would land", [
        ["Run", runLink(one.run) || text("span", "soft", "nobody's run")],
        ["Paths", paths([...new Set((one.own_marks || []).map((each) => each.path))], 8)],
        ["Hunks", [few(one.own_marks, own), one.own_marks_cut && text("span", "soft", ", and those that are not kept")]],
        ["Found", words(one.evidence)],
      ]),
    ),
    one.how || one.agreed_by
      ? h(
          "p",
          { class: "do" },
          "Ended: ",
          words(one.how || one.state),
          one.agreed_by && [", agreed by ", words(one.agreed_by)],
        )
      : one.state === "open" &&
          h(
            "p",
            { class: "do" },
            code(`loomstack-mcp why ${one.conflict}`),
            " tells more; ",
            code(`loomstack-mcp conflicts settle ${one.conflict}`),
            " lets it land.",
          ),
  );
}

export function page() {
  let wanted = "open";
  const choose = h(
    "fieldset",
    { class: "choice" },
    h("legend", { class: "unseen" }, "Which conflicts"),
    STATES.map((one) =>
      h(
        "label",
        null,
        h("input", { type: "radio", name: "state", value: one, checked: one === wanted, onchange: () => pick(one) }),
        one,
      ),
    ),
  );
  const list = h("div", { class: "cards" });
  const nothing = h("div");

  async function pick(one) {
    wanted = one;
    await self.load();
  }

  const self = {
    title: "Conflicts",
    lead: "Two changes that cannot both stand, found before the second one lands. Here by hash and path alone; their lines stay in your clones.",
    node: h("div", null, choose, nothing, list),
    about: /conflict/,
    async load() {
      const { rows } = await api("conflicts", { query: { state: wanted } });
      keep(list, rows, (one) => one.conflict, card);
      nothing.replaceChildren(
        ...(rows.length
          ? []
          : [
              empty(
                wanted === "open" ? "No open conflict" : "None of these",
                "A conflict is found where a commit, a push or a check would take back what another changed on purpose. See what your own history has of that:",
                "loomstack-mcp audit",
              ),
            ]),
      );
    },
  };
  return self;
}
