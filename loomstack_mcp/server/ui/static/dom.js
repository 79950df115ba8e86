// Elements, and the text of others in them: only ever as text, apart from its surroundings, with nothing in it unseen.

const NAMESPACE = "http://www.w3.org/2000/svg";
const UNSEEN =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]/gu;

function put(parent, kids) {
  for (const kid of kids.flat(Infinity)) {
    if (kid === null || kid === undefined || kid === false || kid === "") continue;
    if (kid instanceof Node) parent.append(kid);
    else putText(parent, String(kid));
  }
  return parent;
}

// A character that nobody sees, or that turns what follows around, stands there as its number.
function putText(parent, text) {
  let from = 0;
  for (const found of text.matchAll(UNSEEN)) {
    const number = `U+${found[0].codePointAt(0).toString(16).toUpperCase().padStart(4, "0")}`;
    const shown = document.createElement("span");
    shown.className = "control";
    shown.textContent = number;
    parent.append(text.slice(from, found.index), shown);
    from = found.index + found[0].length;
  }
  parent.append(text.slice(from));
}

function dressed(element, props) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  return element;
}

export const h = (name, props, ...kids) => put(dressed(document.createElement(name), props), kids);
export const s = (name, props, ...kids) => put(dressed(document.createElementNS(NAMESPACE, name), props), kids);
export const text = (name, className, ...kids) => h(name, { class: className }, ...kids);

// What somebody wrote: its direction is its own.
// A name that is too long for its line breaks before an @ and behind a slash first.
const parted = (value) =>
  String(value)
    .split(/(?=@)|(?<=\/)(?!\*)/)
    .map((part, at) => (at ? [h("wbr"), part] : part));
export const words = (value, className) => h("bdi", { class: className }, value);
export const code = (value) => h("code", null, h("bdi", null, parted(value)));
export const paths = (list, most = 4) => {
  const all = list || [];
  const more = all.length > most && text("span", "soft", ` and ${all.length - most} more`);
  return [all.slice(0, most).map((one, at) => [at ? ", " : "", code(one)]), more];
};

// Only to where a browser would go on a person's word.
export const link = (url, label) =>
  /^https?:\/\//i.test(url || "")
    ? h("a", { href: url, rel: "noreferrer noopener", target: "_blank" }, words(label))
    : words(label);

export const runLink = (run) => run && h("a", { href: `/runs/${encodeURIComponent(run)}` }, code(run));
export const traceLink = (ref, label) => h("a", { href: `/trace/${encodeURIComponent(ref)}` }, code(label || ref));
export const who = (row) => words(parted([row.loop, row.who].filter(Boolean).join("@")), "who");

const SHAPES = {
  run: "M5 3.500v9L12.500 8z",
  wait: "M4 3h2.500v10H4zM9.500 3H12v10H9.500z",
  done: "M2.500 8.500l3.500 3.500 7.500-8",
  stop: "M4 4l8 8M12 4l-8 8",
  ask: "M8 3v6M8 12v1",
  none: "M4 8h8",
};
const LOOKS = [
  [/^(running|live|run)$/, "run"],
  [/^checking$/, "run"],
  [/^(waiting|wait|asked|pending|warn|lapsed|approval|require_approval)/, "wait"],
  [/^(done|passed|success|granted|allow|allowed|clear|settled|used|approved)$/, "done"],
  [/^(failed|stop|stopped|denied|deny|revoked|blocked|conflict|lost|abandoned|undone|reverted|open)/, "stop"],
];

export const look = (state) => (LOOKS.find(([pattern]) => pattern.test(state || "")) || [0, "none"])[1];

// A word with its shape: the colour alone says nothing.
export const state = (word, as) => {
  const kind = as || look(word);
  const shape = s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: SHAPES[kind] }));
  return h("span", { class: `state ${kind}` }, shape, words(word));
};

// Rows of which the same is told keep their elements: what has the focus, is open or is being written in stays so.
export function keep(parent, rows, key, make, told = (row) => row) {
  const focusable = (one) => [...one.querySelectorAll("a,button,input,summary,[tabindex]")];
  const holder = [...parent.children].find((one) => one.contains(document.activeElement));
  const held = holder && { name: holder.dataset.key, at: focusable(holder).indexOf(document.activeElement) };
  const old = new Map([...parent.children].map((one) => [one.dataset.key, one]));
  const fresh = rows.map((row) => {
    const name = String(key(row));
    const seen = JSON.stringify(told(row));
    const was = old.get(name);
    if (was && was.seen === seen) return was;
    const made = make(row, was);
    made.dataset.key = name;
    made.seen = seen;
    return made;
  });
  const staying = new Set(fresh);
  for (const one of [...parent.children]) if (!staying.has(one)) one.remove();
  let at = parent.firstChild;
  for (const one of fresh) {
    if (one === at) at = at.nextSibling;
    else parent.insertBefore(one, at);
  }
  if (!held || parent.contains(document.activeElement)) return;
  const now = fresh.find((one) => one.dataset.key === held.name);
  if (now) focusable(now)[held.at]?.focus({ preventScroll: true });
}

// A table that becomes cards where the page is narrow; columns of which nothing is known are left out. Columns: [heading, what stands in a row's cell, class].
export function table(caption, columns, key) {
  const head = h(
    "tr",
    null,
    columns.map(([label, , kind]) => h("th", { scope: "col", class: kind }, label)),
  );
  const body = h("tbody");
  const node = h("table", null, h("caption", { class: "unseen" }, caption), h("thead", null, head), body);
  const cell = (row, [label, draw, kind], at) => {
    const kids = [draw(row)].flat(Infinity).filter((kid) => kid || kid === 0);
    const name = at ? "td" : "th";
    return h(
      name,
      { class: [kind, kids.length ? "" : "empty"].join(" "), scope: at ? null : "row", "data-label": label },
      h("div", null, kids),
    );
  };
  const fill = (rows) => {
    keep(body, rows, key, (row) =>
      h(
        "tr",
        null,
        columns.map((column, at) => cell(row, column, at)),
      ),
    );
    for (const at of columns.keys()) {
      const column = [...body.rows].map((row) => row.cells[at]);
      const isBare = column.every((one) => one.classList.contains("empty"));
      for (const one of [head.cells[at], ...column]) one.hidden = isBare;
    }
  };
  return { node, fill };
}

export const figures = (list) =>
  h(
    "dl",
    { class: "figures" },
    list.map(([number, label, kind]) => h("div", { class: kind }, h("dt", null, label), h("dd", null, number))),
  );

// What a page says that has nothing to show: why, and the next command.
export const empty = (title, why, ...commands) =>
  h(
    "section",
    { class: "nothing" },
    h("h2", null, title),
    h("p", null, why),
    commands.map((one) => h("pre", { tabindex: 0 }, one)),
  );

export const clock = (ms, isExact, isFar) =>
  isFar
    ? new Date(ms).toLocaleDateString([], { day: "numeric", month: "short" })
    : new Date(ms).toLocaleTimeString([], {
        hour: "2-digit",
        minute: "2-digit",
        second: isExact ? "2-digit" : undefined,
        hour12: false,
      });
export const span = (ms) => {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.round(s / 60)} min`;
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
  return `${Math.round(s / 86400)} d`;
};
export const counted = (number, one, many = `${one}s`) => `${number} ${number === 1 ? one : many}`;
export const money = (usd) => (usd === undefined || usd === null || usd === "" ? "" : `$${Number(usd).toFixed(2)}`);

// The runs of the lanes of `live`, each with the loop and the person of its lane.
export const runsOf = ({ lanes, rows = [] }) =>
  lanes ? lanes.flatMap((lane) => lane.runs.map((run) => ({ loop: lane.loop, who: lane.who, ...run }))) : rows;
