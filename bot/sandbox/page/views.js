// Modals that the bot opens for the viewer: the topmost one, its inputs, and what became of sending it.

import { actOn, whileBusy } from "./actions.js";
import { api } from "./api.js";
import { renderBlocks, textOf } from "./blocks.js";
import { openDialog } from "./dialog.js";
import { fill, h } from "./dom.js";
import { inputBlock, readValues } from "./inputs.js";
import { store } from "./store.js";

let shown = null; // {key, dialog}
const dismissed = new Set(); // keys of what a person closed; the bot may open it again as another view

export function mountModals() {
  store.on("views", () => {
    const view = store.modals.findLast((modal) => !dismissed.has(modal.id));
    const key = view && `${view.id} ${view.hash}`;
    if (shown?.key === key) return;
    const before = shown;
    shown = null;
    before?.dialog.close();
    if (view) shown = { key, dialog: open(view) };
  });
}

function open(view) {
  const errors = h("p", { class: "form-error", role: "alert" });
  const submit = view.submit && h("button", { class: "button button-primary", testid: "modal-submit" }, textOf(view.submit));
  const form = h("form", { class: "modal-form" },
    h("div", { class: "dialog-text" }, view.blocks.flatMap((block) => content(block, view))),
    errors,
    h("div", { class: "dialog-buttons" },
      h("button", { type: "button", class: "button", testid: "modal-close", onclick: () => dialog.close() },
        view.close ? textOf(view.close) : "Close",
      ),
      submit,
    ),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    whileBusy(submit, () => send(view, form, errors));
  });
  const dialog = openDialog({ title: view.title.text, content: form, testid: "modal" });
  dialog.addEventListener("close", () => {
    if (shown?.dialog !== dialog) return; // another view took its place
    shown = null;
    dismissed.add(view.id);
  });
  return dialog;
}

function content(block, view) {
  if (block?.type === "input") return [inputBlock(block)];
  return renderBlocks([block], actOn({ view_id: view.id }));
}

async function send(view, form, errors) {
  fill(errors);
  try {
    const { acked, response } = await api.submit({ user: store.viewer, view_id: view.id, values: readValues(form) });
    if (!acked) fill(errors, "The bot did not acknowledge this within 3 seconds. Try again.");
    else if (response?.response_action === "errors") fill(errors, Object.values(response.errors).join(" "));
  } catch (error) {
    fill(errors, error.message);
  }
}
