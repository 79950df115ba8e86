// The shell: which page, for which repository, by whom; and the one stream that says when to look again.

import { h, words } from "./dom.js";

const PAGES = {
  "": "live",
  claims: "claims",
  conflicts: "conflicts",
  decisions: "decisions",
  inbox: "inbox",
  trace: "trace",
  loops: "loops",
  runs: "run",
};
const PAGE_KEY = "page key";
const TICK_MS = 15000;
const ASLEEP_MS = 60000;
const RETRY_MS = [500, 1000, 2000, 5000, 10000];
const main = document.getElementById("main");
const said = document.getElementById("said");
const waiting = document.getElementById("waiting");

const shell = { me: null, page: null, stale: false, tries: 0, stream: null, heard: Date.now() };
const link = h("span", { class: "link", role: "status" });
const account = h("div", { class: "account" });
const picker = h("select", {
  id: "repo",
  "aria-label": "Repository",
  onchange: () => go(`${location.pathname}?repo=${encodeURIComponent(picker.value)}`),
});
const themes = h(
  "select",
  { id: "theme", "aria-label": "Colours", onchange: () => paint(themes.value) },
  ["system", "light", "dark"].map((one) =>
    h("option", { value: one }, { system: "As the system", light: "Light", dark: "Dark" }[one]),
  ),
);

export class Refused extends Error {
  constructor(status, code, message) {
    super(message);
    Object.assign(this, { status, code });
  }
}

export const repo = () => new URLSearchParams(location.search).get("repo") || shell.me?.repo || "";

// The server's answer as a record. Throws Refused with its words.
export async function api(path, { query = {}, body, method = body ? "POST" : "GET" } = {}) {
  const asked = Object.entries({ repo: path === "me" ? "" : repo(), ...query }).filter(
    ([, value]) => value !== "" && value !== undefined && value !== null,
  );
  const tail = asked.length ? `?${new URLSearchParams(asked)}` : "";
  const headers = body
    ? { "Content-Type": "application/json", "LoomStack-Page": localStorage.getItem(PAGE_KEY) || "" }
    : {};
  const answer = await fetch(`/api/v1/${path}${method === "GET" ? tail : ""}`, {
    method,
    headers,
    body: body && JSON.stringify(body),
  }).catch((error) => {
    throw new Refused(0, "away", error.message);
  });
  const record = answer.status === 204 ? {} : await answer.json().catch(() => ({}));
  if (!answer.ok)
    throw new Refused(
      answer.status,
      record.error?.code || "",
      record.error?.message || `the server answered ${answer.status}`,
    );
  return record;
}

export function say(words_) {
  if (said.textContent !== words_) said.textContent = words_;
}

export function go(href) {
  history.pushState(null, "", href);
  open();
}

export const me = () => shell.me;

// What shows that it was a page of this very origin which signed in: a cookie is sent to other ports as well.
export const keepPageKey = (key) => localStorage.setItem(PAGE_KEY, key);

function paint(theme) {
  localStorage.setItem("theme", theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  themes.value = theme;
}

function connection(word, kind) {
  link.className = `link ${kind}`;
  if (link.textContent !== word) link.replaceChildren(h("i", { "aria-hidden": "true" }), word);
}

async function open() {
  const [, first = "", ...rest] = location.pathname.split("/");
  const name = PAGES[first] || "live";
  for (const one of document.querySelectorAll("nav a")) {
    if (one.getAttribute("href") === `/${name === "live" ? "" : name}`) one.setAttribute("aria-current", "page");
    else one.removeAttribute("aria-current");
  }
  const wanted = (shell.wanted = {});
  main.setAttribute("aria-busy", "true");
  const [module] = await Promise.all([import(`./${name}.js`), name === "live" || styled()]);
  if (shell.wanted !== wanted) return;
  const page = module.page({ ref: rest.map(decodeURIComponent).join("/") });
  shell.page = page;
  document.title = `${page.title} · LoomStack`;
  const heading = h("h1", { tabindex: -1, id: "title" }, page.title);
  main.replaceChildren(h("div", { class: "top" }, heading, page.lead && h("p", null, page.lead)), page.node);
  main.className = name;
  await refresh();
}

// The looks of all pages but the first come with the first of them.
function styled() {
  shell.style ||= new Promise((done) => {
    const href = new URL("./pages.css", import.meta.url).pathname;
    document.head.append(h("link", { rel: "stylesheet", href, onload: done, onerror: done }));
  });
  return shell.style;
}

let under = null;
let again = false;

// One look at a time; what moved meanwhile is looked at once more.
export async function refresh() {
  if (under) {
    again = true;
    return under;
  }
  under = look();
  await under;
  under = null;
  if (again) {
    again = false;
    await refresh();
  }
}

async function look() {
  const page = shell.page;
  if (!page) return;
  main.setAttribute("aria-busy", "true");
  try {
    await page.load();
    page.node.classList.remove("old");
    document.getElementById("trouble")?.remove();
  } catch (error) {
    page.node.classList.add("old");
    trouble(error);
  }
  main.removeAttribute("aria-busy");
  shell.stale = false;
}

function trouble(error) {
  if (error.status === 401) return void start();
  if (!(error instanceof Refused)) throw error;
  const told = error.status ? error.message : "Not connected. What stands here is from before; trying again.";
  const box = h("p", { id: "trouble", role: "alert", class: "trouble" }, words(told));
  document.getElementById("trouble")?.remove();
  main.prepend(box);
}

async function closed() {
  const [{ entrance }] = await Promise.all([import("./sign.js"), styled()]);
  shell.stream?.close();
  shell.page = null;
  connection("not signed in", "lost");
  main.replaceChildren(entrance(shell.me, start));
}

// The key of the printed link is used once, and leaves the address bar before anything else happens.
async function enter() {
  const key = new URLSearchParams(location.hash.slice(1)).get("key");
  if (!key) return;
  history.replaceState(null, "", location.pathname + location.search);
  await api("session", { body: { key } }).catch((error) => trouble(error));
}

// A browser opens six connections to a host: a page that nobody sees leaves its own to others, and looks again when seen.
function listen() {
  shell.stream?.close();
  if (document.hidden) return;
  if (!repo()) return connection("no repository yet", "wait");
  if (!shell.tries) connection("connecting", "wait");
  const stream = new EventSource(`/api/v1/events/stream?repo=${encodeURIComponent(repo())}`);
  shell.stream = stream;
  stream.onopen = () => {
    connection("live", "on");
    if (shell.tries || shell.stale) changed("");
    shell.tries = 0;
  };
  stream.addEventListener("change", (event) => changed((JSON.parse(event.data).kinds || []).join(" ")));
  stream.addEventListener("reset", () => changed(""));
  stream.onerror = () => {
    connection("not connected, trying again", "lost");
    shell.stale = true;
    if (stream.readyState !== EventSource.CLOSED || stream !== shell.stream) return;
    const wait = RETRY_MS[Math.min(shell.tries++, RETRY_MS.length - 1)];
    setTimeout(() => stream === shell.stream && listenAgain(), wait);
  };
}

// Another start of the server knows nobody: then this page is no longer anybody's.
async function listenAgain() {
  const me_ = await api("me").catch(() => null);
  if (me_ && !me_.reads) {
    shell.me = me_;
    await closed();
  } else listen();
}

function changed(kinds) {
  if (!kinds || !shell.page?.about || shell.page.about.test(kinds)) refresh();
  if (!kinds || /approval|conflict/.test(kinds)) count();
}

// How many wait for a person; and no number where nobody can tell.
async function count() {
  const { rows = [] } = await api("inbox").catch(() => ({}));
  waiting.textContent = rows.length;
  waiting.hidden = !rows.length;
}

// A machine that slept has a stream that is dead and does not know it.
function tick() {
  const slept = Date.now() - shell.heard > ASLEEP_MS;
  shell.heard = Date.now();
  if (document.hidden || !shell.me?.reads) return;
  if (!repo()) return void appear();
  if (slept) listen();
  if (slept || shell.stale || shell.page?.ages) refresh();
}

// Where there was no repository to show, there may be one by now.
async function appear() {
  if ((await api("me").catch(() => null))?.repo) start();
}

function dress() {
  const { repos = [], name, role, signed_in: isIn, where } = shell.me;
  picker.replaceChildren(
    ...repos.map((one) => h("option", { value: one.repo, selected: one.repo === repo() }, one.name || one.repo)),
  );
  picker.hidden = repos.length < 2;
  const leave = async () => {
    await api("session/end", { body: {} });
    start();
  };
  const enter = h("a", { href: "/inbox" }, "Sign in to decide");
  account.replaceChildren(
    ...[
      isIn ? words(where === "hub" ? `${name}, ${role}` : name, "soft") : shell.me.reads && enter,
      isIn ? h("button", { type: "button", class: "plain", id: "leave", onclick: leave }, "Sign out") : "",
    ],
  );
}

export async function start() {
  try {
    await enter();
    shell.me = await api("me");
  } catch (error) {
    return void retry(error);
  }
  dress();
  if (!shell.me.reads) return void closed();
  listen();
  await open();
  count();
}

function retry(error) {
  connection("not connected, trying again", "lost");
  trouble(error);
  setTimeout(start, RETRY_MS[Math.min(shell.tries++, RETRY_MS.length - 1)]);
}

document.getElementById("tools").append(picker, link, account, themes);
paint(localStorage.getItem("theme") || "system");
document.addEventListener("click", (event) => {
  const anchor = event.target.closest?.("a[href^='/']");
  if (!anchor || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  const query = new URLSearchParams(location.search).get("repo");
  const target = anchor.getAttribute("href");
  go(query && !target.includes("?") ? `${target}?repo=${encodeURIComponent(query)}` : target);
  document.getElementById("title")?.focus({ preventScroll: true });
  scrollTo(0, 0);
});
addEventListener("popstate", open);
addEventListener("online", () => shell.me?.reads && listen());
addEventListener("offline", () => {
  shell.stream?.close();
  shell.stale = true;
  shell.tries = 1;
  connection("not connected, trying again", "lost");
});
document.addEventListener("visibilitychange", () => {
  shell.stream?.close();
  if (document.hidden || !shell.me?.reads) return;
  shell.stale = true;
  listen();
});
setInterval(tick, TICK_MS);
start();
