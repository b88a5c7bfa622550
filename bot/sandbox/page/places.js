// Links to messages of this workspace: they are followed on the page itself.

import { openChannel, openThread } from "./session.js";
import { store } from "./store.js";

const PATH = /^\/archives\/(\w+)\/p(\d{10})(\d{6})$/;

/** Where a permalink leads, {channel, ts, thread, href}; null for any other address. */
export function placeOf(url) {
  const parsed = new URL(url);
  const [, id, seconds, micros] = PATH.exec(parsed.pathname) ?? [];
  const channel = store.channelById(id)?.name;
  if (parsed.origin !== location.origin || !channel) return null;
  const query = new URLSearchParams({ user: store.viewer, channel });
  return {
    channel,
    ts: `${seconds}.${micros}`,
    thread: parsed.searchParams.get("thread_ts"),
    href: `/?${query}`,
  };
}

export async function goTo({ channel, ts, thread }) {
  if (channel !== store.channel) await openChannel(channel);
  if (thread) await openThread(thread);
  requestAnimationFrame(() => show(ts, thread ? "#thread-list" : "#message-list"));
}

function show(ts, list) {
  const message = document.querySelector(`${list} [data-ts="${ts}"]`);
  if (!message) return;
  message.scrollIntoView({ block: "center" });
  message.classList.add("message-found");
}
