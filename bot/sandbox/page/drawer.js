// The drawer for trying what goes wrong: faults of Slack, the clock, and the demo cluster's real processes.

import { whileBusy } from "./actions.js";
import { api } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { plural } from "./format.js";
import { refreshState } from "./session.js";
import { store } from "./store.js";

const MEMBERS = ["demo-1", "demo-2", "demo-3"];
const DEEDS = ["stop", "kill", "start", "freeze", "thaw"];
const HOST_DEEDS = ["stop", "start", "freeze", "thaw", "wipe"];

// kind -> [words, the measure it takes, a good first value]
const FAULTS = {
  rate_limit: ["Rate limit (HTTP 429)", "retry_after", 5],
  http_5xx: ["Server errors (HTTP 503)", "count", 1],
  outage: ["Slack is down", "seconds", 20],
  slow: ["Slow answers", "seconds", 30],
  drop_ack: ["Lose an acknowledgement", "count", 1],
  duplicate: ["Deliver something twice", "count", 1],
  disconnect: ["Cut the connection to the bot", "count", 1],
};
const MEASURES = { retry_after: "retry after, seconds", count: "times", seconds: "for, seconds" };
const SLOW_ANSWER_S = 2;
const STEPS = [[60, "+1 min"], [300, "+5 min"], [900, "+15 min"], [1800, "+30 min"]];

export function mountDrawer() {
  fill(byId("clock-steps"), STEPS.map(([seconds, words]) =>
    h("button", { type: "button", class: "button", testid: `clock-${seconds}`, onclick: deed(`clock ${words}`, () => api.advanceClock(seconds)) }, words),
  ));
  faultForm();
  let shown = null;
  const update = () => {
    const hosts = store.state.hosts ?? [];
    if (hosts.join() !== shown) cluster(hosts); // buttons that are being pressed stay
    shown = hosts.join();
    faults();
    clock();
  };
  store.on("state", update);
  update();
}

function cluster(hosts) {
  if (hosts.length > 0) {
    byId("cluster-words").textContent =
      "Acts on the hosts of the demo cluster: stop takes a host's power, wipe makes it a new machine.";
    fill(byId("cluster-members"), hosts.map((name) => member(name, HOST_DEEDS)));
  } else {
    fill(byId("cluster-members"), MEMBERS.map((name) => member(name, DEEDS)));
  }
}

function member(name, deeds) {
  return h("li", { class: "cluster-member" },
    h("span", {}, name),
    h("div", { class: "button-row" }, deeds.map((what) =>
      h("button", {
        type: "button",
        class: "button",
        testid: `cluster-${name}-${what}`,
        "aria-label": `${what} ${name}`,
        onclick: deed(`${name}: ${what}`, () => api.cluster(name, what)),
      }, what),
    )),
  );
}

function faultForm() {
  const form = byId("fault-form");
  const { kind, amount, method } = form.elements;
  fill(kind, Object.entries(FAULTS).map(([value, [words]]) => h("option", { value }, words)));
  const adapt = () => {
    const [, measure, first] = FAULTS[kind.value];
    byId("fault-measure").textContent = MEASURES[measure];
    amount.value = first;
    byId("fault-method").hidden = kind.value !== "rate_limit";
  };
  kind.addEventListener("change", adapt);
  adapt();
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const [words, measure] = FAULTS[kind.value];
    const fault = { kind: kind.value, [measure]: Number(amount.value) };
    if (kind.value === "slow") fault.delay_s = SLOW_ANSWER_S;
    if (kind.value === "rate_limit") Object.assign(fault, { method: method.value.trim(), count: 1 });
    deed(words, () => api.addFault(fault))({ currentTarget: event.submitter });
  });
}

function faults() {
  const { faults: active } = store.state;
  fill(byId("fault-list"), active.map((fault) => {
    const { id, kind, ...rest } = fault;
    const measures = Object.entries(rest)
      .filter(([, value]) => ["string", "number"].includes(typeof value))
      .map(([name, value]) => `${name.replaceAll("_", " ")} ${value}`);
    const words = FAULTS[kind]?.[0] ?? kind;
    return h("li", { testid: "fault" },
      h("span", {}, words, h("small", {}, measures.join(", "))),
      h("button", { type: "button", class: "button", "aria-label": `Remove: ${words}`, onclick: deed(`removed: ${words}`, () => api.removeFault(id)) }, "Remove"),
    );
  }));
  byId("no-faults").hidden = active.length > 0;
}

function clock() {
  const ahead = Math.round(((store.state.now ?? 0) * 1000 - Date.now()) / 60_000);
  byId("clock-ahead").textContent = ahead > 0 ? `The workspace is ${plural(ahead, "minute")} ahead of this machine.` : "";
}

/** A click handler that does `work` and says in the drawer what came of it. */
function deed(words, work) {
  return ({ currentTarget }) =>
    whileBusy(currentTarget, async () => {
      const outcome = byId("drawer-outcome");
      try {
        await work();
        outcome.textContent = `Done: ${words}.`;
      } catch (error) {
        outcome.textContent = `Failed: ${words}. ${error.message}`;
      }
      await refreshState();
    });
}
