// The inspector: every Web API call of the bot, newest first, with what was sent and answered.

import { byId, fill, h, reconcile } from "./dom.js";
import { plural } from "./format.js";
import { isOpen } from "./panes.js";
import { store } from "./store.js";

export function mountTraffic() {
  const filter = byId("traffic-filter");
  const show = () => isOpen("traffic") && draw(filter.value.trim().toLowerCase());
  store.on("traffic", show);
  filter.addEventListener("input", show);
  byId("traffic-clear").addEventListener("click", () => store.clearTraffic());
  document.querySelector("[data-toggles=traffic]").addEventListener("click", show);
}

function draw(wanted) {
  const all = [...store.traffic.values()].sort((a, b) => b.n - a.n);
  const shown = all.filter(({ method }) => method.toLowerCase().includes(wanted));
  const failed = shown.filter(({ response }) => response?.ok === false).length;
  fill(byId("traffic-count"), `${plural(shown.length, "call")}${failed ? `, ${failed} failed` : ""}`);
  fill(byId("traffic-methods"), [...new Set(all.map(({ method }) => method))].sort().map((method) => h("option", { value: method })));
  reconcile(byId("traffic-list"), shown.map((entry) => ({ key: entry.n, version: entry.n, build: () => item(entry) })));
}

function item(entry) {
  const failed = entry.response?.ok === false;
  const body = h("div", { class: "traffic-json" });
  const details = h("details", { class: "traffic-entry", testid: "traffic-entry" },
    h("summary", {},
      h("span", { class: "traffic-n" }, String(entry.n)),
      h("code", {}, entry.method),
      h("span", { class: failed ? "traffic-failed" : "traffic-ok" }, failed ? (entry.response.error ?? "error") : "ok"),
      h("span", { class: "traffic-ms" }, entry.ms === undefined ? "" : `${Math.round(entry.ms)} ms`),
    ),
    body,
  );
  details.addEventListener("toggle", () => {
    if (details.open && !body.childNodes.length) fill(body, json("Arguments", entry.args), json("Response", entry.response));
  });
  return h("li", {}, details);
}

const json = (title, value) =>
  h("section", {}, h("h4", {}, title), h("pre", { tabindex: "0", "aria-label": title }, JSON.stringify(value, null, 2) ?? ""));
