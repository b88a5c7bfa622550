// The small nodes that mrkdwn, markdown and rich text share: links, mentions, dates.

import { h } from "./dom.js";
import { fullTimeOf } from "./format.js";
import { goTo, placeOf } from "./places.js";
import { store } from "./store.js";

const SAFE = new Set(["http:", "https:", "mailto:"]);

export const isSafeUrl = (url) => URL.canParse(url) && SAFE.has(new URL(url).protocol);

/** A link; an address that is none of http, https, mailto stays text, for everybody to see. */
export function link(url, label, written = url) {
  if (!isSafeUrl(url)) return document.createTextNode(written);
  const place = placeOf(url);
  if (place) {
    const follow = (event) => {
      event.preventDefault();
      goTo(place);
    };
    return h("a", { href: place.href, onclick: follow }, label ?? url);
  }
  return h("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label ?? url);
}

export function userMention(id, fallback) {
  const user = store.userById(id);
  const mine = user && user.handle === store.viewer;
  const name = user?.handle ?? fallback ?? id;
  return h("span", { class: mine ? "mention mention-me" : "mention", title: user?.name }, `@${name}`);
}

export function channelMention(id, fallback) {
  return h("span", { class: "mention" }, `#${store.channelById(id)?.name ?? fallback ?? id}`);
}

/** A named group of people; it stands out for its members. */
export function teamMention(id, fallback) {
  const group = store.groupById(id);
  if (!group) return groupMention(fallback ?? id);
  const mine = group.members.includes(store.viewer);
  return h("span", { class: mine ? "mention mention-me" : "mention", title: group.members.join(", ") }, `@${group.handle}`);
}

export const groupMention = (label) => h("span", { class: "mention mention-me" }, `@${label.replace(/^@/, "")}`);

const style = (options) => new Intl.DateTimeFormat(undefined, options);
const WORDS = {
  date_num: style({ year: "numeric", month: "2-digit", day: "2-digit" }),
  date: style({ dateStyle: "long" }),
  date_short: style({ dateStyle: "medium" }),
  date_long: style({ dateStyle: "full" }),
  time: style({ timeStyle: "short" }),
  time_secs: style({ timeStyle: "medium" }),
};

function ago(date) {
  const seconds = Math.round((date.getTime() - Date.now()) / 1000);
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.trunc(seconds / size), unit);
  }
  return relative.format(seconds, "second");
}

/** `{date_short} at {time}` in the reader's own words; the fallback when the stamp is none. */
export function timestamp(seconds, format, fallback, url) {
  const date = new Date(Number(seconds) * 1000);
  if (Number.isNaN(date.getTime())) return document.createTextNode(fallback ?? "");
  const words = format.replace(/\{([a-z_]+)\}/g, (token, name) => {
    if (name === "ago") return ago(date);
    return WORDS[name.replace("_pretty", "")]?.format(date) ?? token;
  });
  const node = h("time", { datetime: date.toISOString(), title: fullTimeOf(seconds) }, words);
  return url && isSafeUrl(url) ? link(url, node) : node;
}
