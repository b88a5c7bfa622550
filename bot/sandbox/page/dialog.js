// Modal dialogs on the browser's own <dialog>: focus stays inside, Escape closes, focus returns.

import { h } from "./dom.js";
import { textOf } from "./blocks.js";

let count = 0;

/** Opens a modal around `content`; answers the <dialog>, which removes itself when closed. */
export function openDialog({ title, content, testid, role, className = "" }) {
  const id = `dialog-title-${(count += 1)}`;
  const dialog = h("dialog", { class: `dialog ${className}`, testid, role, "aria-labelledby": id },
    h("h2", { class: "dialog-title", id }, title),
    content,
  );
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => {
    if (event.target === dialog) dialog.close(); // the backdrop
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** A confirm object of Block Kit as a question; true only when the confirming button was pressed. */
export function confirmed(confirm, { danger }) {
  return new Promise((resolve) => {
    const form = h("form", { method: "dialog" },
      h("div", { class: "dialog-text" }, confirm.text && textOf(confirm.text)),
      h("div", { class: "dialog-buttons" },
        h("button", { class: "button", value: "cancel", testid: "confirm-cancel", autofocus: danger },
          confirm.deny?.text ?? "Cancel",
        ),
        h("button", {
          class: `button button-${danger ? "danger" : "primary"}`,
          value: "ok",
          testid: "confirm-ok",
          autofocus: !danger,
        }, confirm.confirm?.text ?? "Yes"),
      ),
    );
    const dialog = openDialog({
      title: confirm.title?.text ?? "Are you sure?",
      content: form,
      testid: "confirm-dialog",
      role: "alertdialog",
    });
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "ok"));
  });
}
