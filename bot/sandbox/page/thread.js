// The pane on the right with one thread: its root and its replies.

import { byId, h } from "./dom.js";
import { plural } from "./format.js";
import { renderMessage } from "./message.js";
import { closePane, openPane } from "./panes.js";
import { closeThread } from "./session.js";
import { store } from "./store.js";
import { Timeline } from "./timeline.js";

export function mountThread() {
  const timeline = new Timeline(byId("thread-scroll"), byId("thread-list"));
  const show = () => timeline.show(store.thread ? items() : []);
  store.on("thread", () => {
    if (store.thread) {
      openPane("thread", closeThread);
      timeline.reset();
    } else closePane("thread");
    show();
  });
  store.on("view", () => {
    if (!store.thread) closePane("thread");
    show();
  });
  store.on("messages", ({ channel }) => {
    if (channel === store.channel && store.thread) show();
  });
}

function items() {
  const root = store.message(store.thread);
  const replies = store.replies(store.thread);
  const entry = (message) => ({
    key: message.ts,
    version: JSON.stringify(message),
    build: () => renderMessage(message),
  });
  const line = (words) => ({ key: "count", version: words, build: () => h("p", { class: "thread-count" }, words) });
  if (!root && !replies.length) {
    return store.loaded ? [line(`${store.viewer} cannot see this thread.`)] : [];
  }
  return [
    root && entry(root),
    line(plural(replies.length, "reply", "replies")),
    ...replies.map(entry),
  ].filter(Boolean);
}
