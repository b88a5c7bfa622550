// The panes beside the messages: one on the right (thread, drawer or Home), the inspector below. Escape closes the newest.

import { byId } from "./dom.js";

const RIGHT = ["thread", "drawer", "home"];
const open = []; // [{name, onClose, comeBack}], newest last

/** `onClose` runs when the pane is closed by a person. */
export function openPane(name, onClose) {
  if (open.some((pane) => pane.name === name)) return;
  if (RIGHT.includes(name)) for (const other of RIGHT) dismiss(other);
  open.push({ name, onClose, comeBack: wayBack() });
  const pane = byId(name);
  pane.hidden = false;
  reflect(name, true);
  pane.querySelector("[data-close]").focus({ preventScroll: true });
}

export function closePane(name) {
  const index = open.findIndex((pane) => pane.name === name);
  if (index < 0) return;
  const [{ comeBack }] = open.splice(index, 1);
  const pane = byId(name);
  const hadFocus = pane.contains(document.activeElement);
  pane.hidden = true;
  reflect(name, false);
  if (hadFocus) comeBack();
}

/** Gives the focus back to what has it now, or to what took its place when its message was edited. */
function wayBack() {
  const from = document.activeElement;
  const ts = from.closest("[data-ts]")?.dataset.ts;
  return () => {
    const twin = ts && document.querySelector(`#message-list [data-ts="${ts}"] [data-testid="${from.dataset.testid}"]`);
    const target = from.isConnected && from !== document.body ? from : twin || byId("composer-input");
    target.focus();
  };
}

/** Closes as a person would: with the pane's own clean-up. */
function dismiss(name) {
  const pane = open.find((entry) => entry.name === name);
  if (!pane) return false;
  closePane(name);
  pane.onClose?.();
  return true;
}

export const isOpen = (name) => open.some((pane) => pane.name === name);

/** The toggle buttons in the header show which panes are open. */
function reflect(name, expanded) {
  for (const toggle of document.querySelectorAll(`[data-toggles="${name}"]`)) toggle.setAttribute("aria-expanded", expanded);
}

export function mountPanes() {
  for (const button of document.querySelectorAll("[data-close]")) {
    button.addEventListener("click", () => dismiss(button.dataset.close));
  }
  for (const button of document.querySelectorAll("[data-toggles]")) {
    const name = button.dataset.toggles;
    button.addEventListener("click", () => dismiss(name) || openPane(name));
  }
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
    if (open.length) dismiss(open.at(-1).name);
  });
}
