// The `markdown` block: headings, lists, tables, fences, quotes and inline marks of common Markdown.

import { h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { link } from "./inline.js";

const FENCE = /^\s*```/;
const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^\s*(?:[-*_]\s*){3,}$/;
const QUOTE = /^\s*>\s?(.*)$/;
const ITEM = /^(\s*)(?:[-*+]|(\d+)[.)])\s+(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(?:\|\s*:?-+:?\s*)*\|?\s*$/;

export function markdown(text) {
  return h("div", { class: "markdown" }, blocks(text.split("\n")));
}

function blocks(lines) {
  const nodes = [];
  let at = 0;
  const takeWhile = (test) => {
    const from = at;
    while (at < lines.length && test(lines[at])) at += 1;
    return lines.slice(from, at);
  };
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) at += 1;
    else if (FENCE.test(line)) {
      at += 1;
      nodes.push(h("pre", {}, takeWhile((next) => !FENCE.test(next)).join("\n")));
      at += 1;
    } else if (HEADING.test(line)) {
      const [, marks, title] = HEADING.exec(line);
      nodes.push(h("p", { class: "heading", role: "heading", "aria-level": marks.length + 2 }, inline(title)));
      at += 1;
    } else if (RULE.test(line)) {
      nodes.push(h("hr"));
      at += 1;
    } else if (QUOTE.test(line)) {
      const quoted = takeWhile((next) => QUOTE.test(next)).map((next) => QUOTE.exec(next)[1]);
      nodes.push(h("blockquote", {}, blocks(quoted)));
    } else if (ITEM.test(line)) {
      nodes.push(list(takeWhile((next) => ITEM.test(next) || /^\s+\S/.test(next))));
    } else if (line.includes("|") && TABLE_RULE.test(lines[at + 1] ?? "")) {
      nodes.push(table(takeWhile((next) => next.includes("|"))));
    } else {
      const paragraph = takeWhile((next) => next.trim() && !startsBlock(next));
      nodes.push(h("p", {}, inline(paragraph.join("\n"))));
    }
  }
  return nodes;
}

const startsBlock = (line) => [FENCE, HEADING, RULE, QUOTE, ITEM].some((pattern) => pattern.test(line));

/** Lines of one list; deeper indented lines belong to the item above them. */
function list(lines) {
  const [, indent, number] = ITEM.exec(lines[0]);
  const items = [];
  for (const line of lines) {
    const item = ITEM.exec(line);
    if (item && item[1].length <= indent.length) items.push({ text: item[3], below: [] });
    else items.at(-1).below.push(line.slice(Math.min(indent.length + 2, line.search(/\S/))));
  }
  const nodes = items.map(({ text, below }) => {
    const [, ticked, rest] = /^\[([ xX])\]\s+(.*)$/.exec(text) ?? [];
    const words = ticked === undefined ? inline(text) : [ticked === " " ? "☐ " : "☑ ", inline(rest)];
    return h("li", {}, words, blocks(below));
  });
  return number === undefined ? h("ul", {}, nodes) : h("ol", { start: number }, nodes);
}

function table([head, rule, ...rows]) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const align = cells(rule).map((cell) => (cell.endsWith(":") ? (cell.startsWith(":") ? "center" : "right") : "left"));
  const row = (line, tag) =>
    h("tr", {}, cells(line).map((cell, column) => h(tag, { class: `align-${align[column] ?? "left"}` }, inline(cell))));
  return h("div", { class: "table-scroll", tabindex: "0", role: "group", "aria-label": "Table" },
    h("table", {}, h("thead", {}, row(head, "th")), h("tbody", {}, rows.map((line) => row(line, "td")))),
  );
}

const TOKEN = new RegExp(
  [
    "\\\\(?<escaped>[\\\\`*_~\\[\\]()#+.!|<>-])",
    "`(?<code>[^`]+)`",
    "\\[(?<label>[^\\[\\]]+)\\]\\((?<url>[^()\\s]+)\\)",
    "<(?<auto>[a-z]+:[^<>\\s]+)>",
    "(?<bare>https?://[^\\s<>()]*[^\\s<>().,;:!?])",
    "\\*\\*(?!\\s)(?<strong>[^\\n]+?)(?<!\\s)\\*\\*",
    "~~(?!\\s)(?<strike>[^\\n]+?)(?<!\\s)~~",
    "\\*(?!\\s)(?<em>[^*\\n]+?)(?<!\\s)\\*",
    "(?<![\\p{L}\\p{N}])_(?!\\s)(?<em2>[^\\n]+?)(?<!\\s)_(?![\\p{L}\\p{N}])",
  ].join("|"),
  "gu",
);

function inline(text) {
  const nodes = [];
  let done = 0;
  for (const match of text.matchAll(TOKEN)) {
    nodes.push(withEmoji(text.slice(done, match.index)), token(match));
    done = match.index + match[0].length;
  }
  return [...nodes, withEmoji(text.slice(done))].filter((node) => node !== "");
}

function token({ 0: written, groups }) {
  if (groups.escaped) return groups.escaped;
  if (groups.code) return h("code", {}, groups.code);
  if (groups.label) return link(groups.url, groups.label, written);
  if (groups.auto ?? groups.bare) return link(groups.auto ?? groups.bare, undefined, written);
  if (groups.strong) return h("strong", {}, inline(groups.strong));
  if (groups.strike) return h("s", {}, inline(groups.strike));
  return h("em", {}, inline(groups.em ?? groups.em2));
}
