// Short notices at the edge of the window, and what is said to screen readers.

import { byId, h, icon } from "./dom.js";

const SHOWN_MS = 10_000;

/** A warning or plain notice; it goes away by itself, or sooner by its button. */
export function notify(text, kind = "warning") {
  const close = h("button", { type: "button", class: "icon-button", "aria-label": "Dismiss" }, icon("cross"));
  const notice = h("div", { class: `notice notice-${kind}`, testid: "notice" }, h("span", {}, text), close);
  close.addEventListener("click", () => notice.remove());
  byId("notices").append(notice);
  setTimeout(() => notice.remove(), SHOWN_MS);
}

export function announce(text) {
  byId("announcer").textContent = text;
}
