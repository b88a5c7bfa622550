// rich_text blocks: sections, lists, preformatted text, quotes and their leaves.

import { h } from "./dom.js";
import { emoji } from "./emoji.js";
import { channelMention, groupMention, link, teamMention, timestamp, userMention } from "./inline.js";

const STYLE_TAG = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

const PARTS = {
  rich_text_section: (part) => h("p", {}, leaves(part)),
  rich_text_preformatted: (part) => h("pre", {}, leaves(part)),
  rich_text_quote: (part) => h("blockquote", {}, h("p", {}, leaves(part))),
  rich_text_list: list,
};

const LEAVES = {
  text: (leaf) => leaf.text,
  link: (leaf) => link(leaf.url, leaf.text, leaf.text ? `${leaf.text} (${leaf.url})` : leaf.url),
  emoji: (leaf) => emoji(leaf.name) ?? `:${leaf.name}:`,
  user: (leaf) => userMention(leaf.user_id),
  channel: (leaf) => channelMention(leaf.channel_id),
  usergroup: (leaf) => teamMention(leaf.usergroup_id),
  broadcast: (leaf) => groupMention(leaf.range),
  date: (leaf) => timestamp(leaf.timestamp, leaf.format, leaf.fallback, leaf.url),
  color: (leaf) => h("code", {}, leaf.value),
};

export function richText(block) {
  return h("div", { class: "rich-text" }, block.elements.map((part) => known(PARTS, part)(part)));
}

function known(table, part) {
  if (!Object.hasOwn(table, part.type)) throw new Error(`“${part.type}” is not a part of rich text that this page knows`);
  return table[part.type];
}

const leaves = (part) => part.elements.map((leaf) => styled(known(LEAVES, leaf)(leaf), leaf.style));

function styled(content, style = {}) {
  return Object.entries(STYLE_TAG).reduce(
    (inner, [name, tag]) => (style[name] ? h(tag, {}, inner) : inner),
    content,
  );
}

function list(part) {
  const items = part.elements.map((section) => h("li", {}, leaves(section)));
  const classes = { class: `indent-${Math.min(part.indent ?? 0, 8)}` };
  if (part.style === "ordered") return h("ol", { ...classes, start: (part.offset ?? 0) + 1 }, items);
  return h("ul", classes, items);
}
