// The channel in the middle: its header, its messages by day, and a welcome while it is empty.

import { byId, fill, h } from "./dom.js";
import { dayKey, dayOf } from "./format.js";
import { renderMessage } from "./message.js";
import { announce } from "./notices.js";
import { openThread } from "./session.js";
import { store } from "./store.js";
import { Timeline } from "./timeline.js";
import { welcome } from "./welcome.js";

export function mountChannel() {
  const timeline = new Timeline(byId("messages"), byId("message-list"), byId("new-messages"));
  let queued = false;
  const show = () => {
    queued = false;
    timeline.show(items());
    byId("messages").setAttribute("aria-label", `Messages in #${store.channel}`);
  };
  const soon = () => {
    if (queued) return;
    queued = true;
    queueMicrotask(show);
  };
  store.on("messages", ({ channel }) => channel === store.channel && soon());
  store.on("state", () => {
    header();
    soon();
  });
  store.on("view", () => {
    timeline.reset();
    header();
    soon();
  });
  store.on("arrived", ({ channel, message }) => {
    if (channel === store.channel) announce(message.text || "New message");
  });
}

function header() {
  const { place } = store;
  byId("channel-name").textContent = store.channel;
  const [kind, words] = store.status;
  const facts = kind === "ready" ? [] : [words];
  if (place.is_ext_shared) facts.push("shared with another workspace");
  if (place.is_private) facts.push("private");
  if (place.bot_is_member === false) facts.push("the bot is not in this channel");
  if (place.members && !place.members.includes(store.viewer)) facts.push(`${store.viewer} is not a member`);
  const topic = typeof place.topic === "string" ? place.topic : place.topic?.value;
  const purpose = typeof place.purpose === "string" ? place.purpose : place.purpose?.value;
  fill(byId("channel-about"), [...facts, topic || purpose].filter(Boolean).join(" · "));
}

function items() {
  if (store.problem) {
    const problem = store.problem;
    return [{ key: "problem", version: problem, build: () => h("p", { class: "list-note list-problem", role: "alert" }, problem) }];
  }
  const timeline = store.timeline();
  if (!timeline.length) {
    return store.loaded ? [{ key: "welcome", version: `${store.viewer} ${store.channel}`, build: welcome }] : [];
  }
  let day = null;
  return timeline.flatMap(({ message, replies }) => {
    const item = {
      key: `${store.viewer} ${store.channel} ${message.ts}`,
      version: JSON.stringify([message, replies]),
      build: () => renderMessage(message, { replies, onThread: () => openThread(message.ts) }),
    };
    if (dayKey(message.ts) === day) return item;
    day = dayKey(message.ts);
    const words = dayOf(message.ts);
    const divider = {
      key: `day ${day}`,
      version: words,
      build: () => h("div", { class: "day", role: "separator", "aria-label": words }, h("span", {}, words)),
    };
    return [divider, item];
  });
}
