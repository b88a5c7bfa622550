// Pressing a button of a message: the question first, then the click, then what became of it.

import { api } from "./api.js";
import { confirmed } from "./dialog.js";
import { notify } from "./notices.js";
import { store } from "./store.js";

/** The handler that blocks.js calls for buttons of `place`: {channel, ts} of a message or {view_id}. */
export function actOn(place) {
  return async (node, element, block) => {
    if (node.getAttribute("aria-busy") === "true") return;
    const danger = (element.confirm?.style ?? element.style) === "danger";
    if (element.confirm && !(await confirmed(element.confirm, { danger }))) return;
    await whileBusy(node, () =>
      click({
        user: store.viewer,
        ...place,
        action_id: element.action_id,
        value: element.value,
        block_id: block.block_id,
      }, element.text.text),
    );
  };
}

async function click(body, label) {
  try {
    const answer = await api.click(body);
    if (!answer.acked) {
      notify(`“${label}” may not have worked: the bot did not acknowledge it within 3 seconds.`);
    }
  } catch (error) {
    notify(`“${label}” was not delivered. ${error.message}`);
  }
}

export async function whileBusy(node, work) {
  node.setAttribute("aria-busy", "true");
  try {
    await work();
  } finally {
    node.removeAttribute("aria-busy");
  }
}
