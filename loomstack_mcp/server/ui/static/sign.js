// Signing in: by the printed link to read, by a code of the terminal to decide; on a hub by a token.

import { api, keepPageKey } from "./app.js";
import { h, words } from "./dom.js";

const told = () => h("p", { role: "alert", class: "trouble", hidden: true });

async function send(body, note, then) {
  try {
    const answer = await api("session", { body });
    keepPageKey(answer.page_key || "");
    await then();
  } catch (error) {
    note.hidden = false;
    note.replaceChildren(words(error.message));
  }
}

// What stands in place of a page for who may not read: why, and how to come in.
export function entrance(me, then) {
  const note = told();
  if (me.where === "hub") {
    const token = h("input", {
      id: "token",
      type: "password",
      name: "token",
      autocomplete: "current-password",
      required: true,
    });
    const form = h(
      "form",
      {
        class: "entrance",
        onsubmit: (event) => (event.preventDefault(), send({ token: token.value.trim() }, note, then)),
      },
      h("h1", { id: "title", tabindex: -1 }, "Sign in"),
      h(
        "p",
        null,
        "With a token of this hub, or one of your company's identity provider. You see what it opens, and no more.",
      ),
      h("label", { for: "token" }, "Token"),
      token,
      h("button", { type: "submit", class: "yes" }, "Sign in"),
      note,
      h("p", { class: "soft" }, "An admin makes one, with its role and its repositories:"),
      h("pre", { tabindex: 0 }, "loomstack-mcp token create --for you --role developer"),
    );
    return form;
  }
  return h(
    "section",
    { class: "nothing" },
    h("h1", { id: "title", tabindex: -1 }, "Open the link that the terminal printed"),
    h("p", null, words(me.why_not || "This page is for who started it, by the link with its key.")),
    h("p", null, "Where it is gone, start it again:"),
    h("pre", { tabindex: 0 }, "loomstack-mcp ui"),
  );
}

// The way from reading to deciding.
export function codeForm(me, whyNot, then) {
  if (me.where === "hub" || (whyNot && !/sign in/i.test(whyNot))) return h("p", { class: "do" }, words(whyNot));
  const note = told();
  const typed = h("input", {
    id: "code",
    name: "code",
    inputmode: "numeric",
    autocomplete: "one-time-code",
    pattern: "[0-9 \\-]{8,11}",
    required: true,
    placeholder: "0000-0000",
    "aria-describedby": "code-hint",
  });
  const show = h(
    "button",
    {
      type: "button",
      id: "ask-code",
      onclick: async () => {
        await api("session", { body: { code: "" } }).catch((error) => {
          note.hidden = false;
          note.replaceChildren(words(error.message));
        });
        typed.focus();
      },
    },
    "Show a code in the terminal",
  );
  return h(
    "form",
    { class: "gate", onsubmit: (event) => (event.preventDefault(), send({ code: typed.value }, note, then)) },
    h(
      "p",
      { id: "code-hint" },
      "Reading needs the link alone. To approve or deny, show that you sit at the terminal in which the dashboard was started.",
    ),
    h(
      "div",
      { class: "buttons" },
      show,
      h("label", { for: "code", class: "unseen" }, "Code"),
      typed,
      h("button", { type: "submit", class: "yes" }, "Sign in"),
    ),
    note,
  );
}
