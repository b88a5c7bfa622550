// Every block that a bot may send, as nodes. What this page does not know is shown as an error, never left out.

import { fill, h } from "./dom.js";
import { withEmoji } from "./emoji.js";
import { isSafeUrl } from "./inline.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";
import { plan, taskCard } from "./tasks.js";

const BLOCKS = {
  header: (block) => h("h3", { class: "block-header" }, textOf(block.text)),
  section,
  context: (block, act) => h("div", { class: "context" }, block.elements.map((item) => element(item, block, act))),
  divider: () => h("hr"),
  actions: (block, act) => h("div", { class: "actions" }, block.elements.map((item) => element(item, block, act))),
  markdown: (block) => markdown(block.text),
  rich_text: richText,
  table,
  data_table: dataTable,
  plan,
  task_card: taskCard,
  image: (block) => image(block, block.title && textOf(block.title)),
};

const ELEMENTS = {
  button,
  image: (item) => image(item),
  mrkdwn: (item) => textOf(item),
  plain_text: (item) => textOf(item),
};

/** `act(button, element, block)` is called when a button is pressed. */
export function renderBlocks(blocks, act) {
  return blocks.map((block) => attempt(BLOCKS, "block", block, (render) => render(block, act)));
}

/** The error box that stands for what cannot be shown; it names the type and holds the whole JSON. */
export function errorBox(kind, value, problem = `This page does not know this ${kind} type.`) {
  return h("div", { class: "error-box", role: "group", "aria-label": `${kind} that cannot be shown`, testid: "block-error" },
    h("strong", {}, `${kind}: ${value?.type ?? String(value)}`),
    h("p", {}, problem),
    h("pre", {}, JSON.stringify(value, null, 2)),
  );
}

/** plain_text or mrkdwn object to nodes. */
export function textOf(text) {
  if (text.type === "mrkdwn") return mrkdwn(text.text);
  return h("span", { class: "plain" }, text.emoji === false ? text.text : withEmoji(text.text));
}

function attempt(table, kind, value, render) {
  if (!value || !Object.hasOwn(table, value.type)) return errorBox(kind, value);
  try {
    return render(table[value.type]);
  } catch (error) {
    return errorBox(kind, value, error.message);
  }
}

const element = (item, block, act) => attempt(ELEMENTS, "element", item, (render) => render(item, block, act));

function section(block, act) {
  const body = h("div", { class: "section-body" },
    block.text && textOf(block.text),
    block.fields && h("div", { class: "fields" }, block.fields.map((field) => h("div", { class: "field" }, textOf(field)))),
  );
  if (!block.accessory) return body;
  return h("div", { class: "section" }, body, h("div", { class: "accessory" }, element(block.accessory, block, act)));
}

function button(item, block, act) {
  const style = ["primary", "danger"].includes(item.style) ? ` button-${item.style}` : "";
  const node = h("button", {
    type: "button",
    class: `button${style}`,
    testid: `button-${item.action_id}`,
    "aria-label": item.accessibility_label,
    "aria-haspopup": item.confirm && "dialog",
  });
  node.addEventListener("click", () => {
    if (item.url && isSafeUrl(item.url)) window.open(item.url, "_blank", "noopener");
    act(node, item, block);
  });
  return fill(node, textOf(item.text));
}

/** Only images of this server are loaded; of any other the words are shown. */
function image(item, title) {
  const url = item.image_url ?? item.slack_file?.url ?? "";
  const local = URL.canParse(url, location.href) && new URL(url, location.href).origin === location.origin;
  return h("figure", { class: "image" },
    title && h("figcaption", {}, title),
    local
      ? h("img", { src: url, alt: item.alt_text ?? "" })
      : h("span", { class: "image-withheld" }, `Image: ${item.alt_text ?? ""}`, h("small", {}, `not loaded: ${url}`)),
  );
}
