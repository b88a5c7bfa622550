// One message as an article. Its label is the top-level text, which is what screen readers get.

import { actOn } from "./actions.js";
import { errorBox, renderBlocks } from "./blocks.js";
import { h, icon } from "./dom.js";
import { fileChip } from "./files.js";
import { dateOf, fullTimeOf, hueOf, initials, plural, timeOf } from "./format.js";
import { mrkdwn } from "./mrkdwn.js";
import { store } from "./store.js";

/** `onThread` opens the thread; without it (inside the thread pane) there is no such button. */
export function renderMessage(message, { replies = 0, onThread } = {}) {
  const author = authorOf(message);
  return h("article", {
      class: message.is_ephemeral ? "message message-ephemeral" : "message",
      testid: "message",
      "data-ts": message.ts,
      "aria-label": `${author.name}: ${message.text || namesOf(message.files)}`,
    },
    avatar(author),
    h("div", { class: "message-main", testid: message.is_ephemeral && "ephemeral" },
      message.is_ephemeral && h("p", { class: "ephemeral-mark" }, icon("eye"), "Only visible to you"),
      h("header", { class: "message-head" },
        h("strong", { class: "author" }, author.name),
        author.isApp && h("span", { class: "badge-app" }, "APP"),
        h("time", { datetime: dateOf(message.ts).toISOString(), title: fullTimeOf(message.ts) }, timeOf(message.ts)),
        message.edited && h("span", { class: "edited" }, "(edited)"),
      ),
      h("div", { class: "message-body" }, body(message)),
      replies > 0 && onThread &&
        h("button", { type: "button", class: "thread-open", testid: "thread-open", onclick: onThread },
          icon("thread"),
          plural(replies, "reply", "replies"),
          message.latest_reply && h("span", { class: "thread-last" }, `last at ${timeOf(message.latest_reply)}`),
        ),
    ),
  );
}

function body(message) {
  const content = message.blocks?.length
    ? renderBlocks(message.blocks, actOn({ channel: store.channel, ts: message.ts }))
    : message.text && mrkdwn(message.text);
  return [
    content,
    message.attachments?.map((attachment) => errorBox("attachment", attachment, "This page shows no legacy attachments.")),
    message.files?.map(fileChip),
  ];
}

const namesOf = (files = []) => files.map(({ name }) => name).join(", ");

function authorOf(message) {
  const user = store.userById(message.user);
  const isApp = Boolean(message.bot_id || message.bot_profile || user?.is_bot || message.subtype === "bot_message");
  const name = message.username ?? user?.name ?? message.bot_profile?.name ?? message.user ?? "unknown";
  return { name, isApp };
}

export function avatar({ name, isApp }) {
  const node = h("span", { class: isApp ? "avatar avatar-app" : "avatar", "aria-hidden": "true" },
    isApp ? icon("bot") : initials(name),
  );
  node.style.setProperty("--hue", hueOf(name));
  return node;
}
