// Inbox: what waits for a person, exactly what it is, and the answer of who may give one.

import { api, me, say, start } from "./app.js";
import { code, empty, h, keep, runLink, span, state, text, who, words } from "./dom.js";
import { codeForm } from "./sign.js";

const KINDS = {
  undo: "it takes back what landed",
  stale_base: "it comes from an old copy",
  ping_pong: "it goes back and forth",
  intent: "it is against what somebody meant",
  already_landed: "it has landed already",
};
const lines = (list) =>
  h(
    "pre",
    { tabindex: 0, class: "exact" },
    (list || []).map((one, at) => [at ? "\n" : "", h("bdi", null, one)]),
  );

const aged = (one) =>
  `${one.age} ago${one.expires_in_s ? `, no answer within ${span(one.expires_in_s * 1000)} is a no` : ""}`;

function what(one) {
  const rules = (one.rules || []).map((rule) =>
    h(
      "li",
      null,
      code(rule.rule),
      rule.at && [" ", text("span", "soft", words(rule.at))],
      rule.by?.length
        ? [
            " asks ",
            rule.count > 1 ? `${rule.count} of ` : "",
            words(rule.by.join(" or ")),
            rule.not_maker && ", who did not make it",
          ]
        : "",
      text("div", "quote", words(rule.why)),
    ),
  );
  const answers = (one.answers || []).map((each) =>
    h(
      "li",
      null,
      words(typeof each === "string" ? each : `${each.verdict} by ${each.who}${each.why ? `: ${each.why}` : ""}`),
    ),
  );
  return [
    h(
      "h2",
      null,
      one.kind === "stop" ? state("a landing is stopped", "stop") : state(one.asks, "wait"),
      text("span", "soft", one.kind === "stop" ? ` ${KINDS[one.asks] || one.asks}; by ` : " asked by "),
      one.kind === "stop" ? "" : [who(one), " "],
      runLink(one.run),
    ),
    h(
      "p",
      { class: "soft" },
      text("span", "aged", aged(one)),
      " · ",
      code(one.id),
      one.digest && [" · exactly ", code(one.digest.slice(0, 16))],
      one.head && [" · of ", code(one.head.slice(0, 12))],
    ),
    h("h3", null, one.kind === "stop" ? "What it would do" : "What exactly would happen"),
    one.shown ? lines(one.shown) : text("p", "exact", words(one.what)),
    rules.length
      ? [h("h3", null, "Which rule wants it"), h("ul", null, rules)]
      : one.why && [h("h3", null, "What was meant"), h("p", { class: "quote" }, words(one.why))],
    answers.length ? [h("h3", null, "Answers so far"), h("ul", null, answers)] : "",
  ];
}

export function page() {
  const list = h("div", { class: "cards" });
  const nothing = h("div");
  const gate = h("div");
  const done = h("div", { class: "told", role: "status" });

  const isQuestion = (one) => one.kind === "question";

  function answering(one) {
    const told = h("p", { role: "alert", class: "trouble", hidden: true });
    const why = h("input", {
      id: `why-${one.id}`,
      name: "why",
      maxlength: 500,
      autocomplete: "off",
      "aria-describedby": `hint-${one.id}`,
    });
    const submit = async (event) => {
      event.preventDefault();
      const verdict = event.submitter.value;
      const buttons = [...form.querySelectorAll("button")];
      for (const button of buttons) button.disabled = true;
      try {
        const answer = await api(`inbox/${encodeURIComponent(one.id)}`, {
          body: { verdict, why: why.value, digest: one.digest },
        });
        done.replaceChildren(
          h(
            "p",
            null,
            state(verdict === "approve" ? "approved" : "denied"),
            " ",
            code(one.id),
            ". ",
            answer.state === "asked"
              ? "Others are to approve it as well."
              : verdict === "approve"
                ? "It may happen, once and soon."
                : "It does not happen.",
          ),
        );
        say(`${one.id} ${verdict === "approve" ? "approved" : "denied"}`);
        await self.load();
        (list.querySelector("input,button,a") || document.getElementById("title")).focus();
      } catch (error) {
        told.hidden = false;
        told.textContent = error.message;
        if (error.status === 401) start();
      }
      for (const button of buttons) button.disabled = false;
    };
    const form = h(
      "form",
      { class: "answer", onsubmit: submit },
      h("label", { for: why.id }, "Why"),
      why,
      text("span", "unseen", ""),
      h("p", { id: `hint-${one.id}`, class: "soft" }, "Who asked reads it."),
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "submit", id: `approve-${one.id}`, value: "approve", class: "yes" }, "Approve"),
        h("button", { type: "submit", id: `deny-${one.id}`, value: "deny", class: "no" }, "Deny"),
      ),
      told,
    );
    return form;
  }

  function card(one, was) {
    const { may_decide: may } = me();
    const open = may && one.may && isQuestion(one);
    const form = open && (was?.querySelector("form") || answering(one));
    return h(
      "article",
      { class: "card", "aria-label": `${one.asks}, ${one.id}` },
      what(one),
      form || "",
      !open && h("p", { class: "do" }, one.why_not && [words(one.why_not), " "], "In a terminal: ", code(one.next)),
    );
  }

  const self = {
    title: "Inbox",
    lead: "What waits for a person. An answer lets exactly what is shown happen, once and soon; silence is no.",
    node: h("div", null, gate, done, nothing, list),
    about: /approval|conflict/,
    ages: true,
    async load() {
      const { rows } = await api("inbox");
      const { may_decide: may, why_not: whyNot, signed_in: isIn } = me();
      gate.hidden = may;
      if (!gate.hidden && !gate.hasChildNodes()) gate.append(codeForm(me(), whyNot, start));
      if (isIn) gate.replaceChildren();
      keep(
        list,
        rows.map((one) => ({ ...one, may_: may })),
        (one) => one.id,
        card,
        ({ age, expires_in_s, ...rest }) => rest,
      );
      for (const [at, one] of rows.entries()) list.children[at].querySelector(".aged").textContent = aged(one);
      nothing.replaceChildren(
        ...(rows.length
          ? []
          : [
              empty(
                "Nothing waits for a person",
                "A question comes here when a rule asks for a person's word, or when a conflict stops a landing. How a rule asks for one:",
                "loomstack-mcp help approvals",
              ),
            ]),
      );
    },
  };
  return self;
}
