// Slack's mrkdwn, as nodes. Entities are decoded last, into text nodes, so they can never become markup.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelMention, groupMention, link, teamMention, timestamp, userMention } from "./inline.js";

const STYLE_TAG = { "*": "strong", _: "em", "~": "s" };
const TOKEN = new RegExp(
  [
    "`(?<code>[^`\\n]+)`",
    "<(?<entity>[^<>\\n]+)>",
    ":(?<emoji>[a-z0-9_+-]+):",
    "(?<![\\p{L}\\p{N}])(?<mark>[*_~])(?!\\s)(?<styled>(?:`[^`\\n]+`|<[^<>\\n]+>|[^`<\\n])+?)(?<!\\s)\\k<mark>(?![\\p{L}\\p{N}])",
  ].join("|"),
  "gu",
);

const decode = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function mrkdwn(text) {
  return h("div", { class: "mrkdwn" }, blocks(text));
}

function blocks(text) {
  // Every second part of the split is what stood between the fences.
  return text.split(/```\n?([\s\S]*?)\n?```\n?/).map((part, index) =>
    index % 2 ? h("pre", {}, decode(part)) : lines(part),
  );
}

const QUOTE = /^(?:>|&gt;) ?(.*)$/;
const BULLET = /^\s*[•◦▪-] +(.*)$/;
const NUMBER = /^\s*(\d+)\. +(.*)$/;

function lines(text) {
  const nodes = [];
  const last = () => nodes.at(-1);
  const within = (tag) => {
    if (last()?.localName !== tag) nodes.push(h(tag));
    return last();
  };
  for (const line of text === "" ? [] : text.replace(/\n$/, "").split("\n")) {
    const [, quote] = QUOTE.exec(line) ?? [];
    const [, bullet] = BULLET.exec(line) ?? [];
    const [, number, numbered] = NUMBER.exec(line) ?? [];
    if (quote !== undefined) within("blockquote").append(h("p", {}, inline(quote)));
    else if (bullet !== undefined) within("ul").append(h("li", {}, inline(bullet)));
    else if (number !== undefined) within("ol").append(h("li", { value: number }, inline(numbered)));
    else nodes.push(h("p", {}, inline(line)));
  }
  return nodes;
}

function inline(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(decode(text.slice(done, match.index)), token(match));
    done = match.index + match[0].length;
  }
  return [...nodes, decode(text.slice(done))].filter((node) => node !== "");
}

function token({ 0: written, groups }) {
  if (groups.code !== undefined) return h("code", {}, decode(groups.code));
  if (groups.entity !== undefined) return entity(groups.entity);
  if (groups.emoji !== undefined) return emoji(groups.emoji) ?? written;
  return h(STYLE_TAG[groups.mark], {}, inline(groups.styled));
}

function entity(body) {
  const [target, ...rest] = body.split("|");
  const label = rest.length ? decode(rest.join("|")) : undefined;
  if (target.startsWith("@")) return userMention(target.slice(1), label);
  if (target.startsWith("#")) return channelMention(target.slice(1), label);
  if (target.startsWith("!date^")) {
    const [, seconds, format, url] = target.split("^");
    return timestamp(seconds, decode(format ?? ""), label, url && decode(url));
  }
  if (target.startsWith("!subteam^")) return teamMention(target.slice("!subteam^".length), label);
  if (target.startsWith("!")) return groupMention(label ?? target.slice(1).split("^").at(-1));
  return link(decode(target), label, decode(`<${body}>`));
}
