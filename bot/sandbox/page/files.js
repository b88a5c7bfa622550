// Files that the bot uploaded: a chip, a preview of text, a download. Only addresses of this server are used.

import { h, icon } from "./dom.js";
import { openDialog } from "./dialog.js";
import { sizeOf } from "./format.js";
import { notify } from "./notices.js";

const PREVIEW_CHARACTERS = 100_000;

export function fileChip(file) {
  const name = file.name ?? file.title ?? file.id;
  const url = localUrl(file.content_url ?? file.url_private_download ?? file.url_private);
  return h("div", { class: "file", testid: "file" },
    icon("file"),
    h("div", { class: "file-name" }, h("span", {}, name), h("small", {}, sizeOf(file.size))),
    url && h("button", { type: "button", class: "button", "aria-label": `Preview ${name}`, onclick: () => preview(name, url) }, "Preview"),
    url && h("a", { class: "button", href: url, download: name, "aria-label": `Download ${name}` }, "Download"),
  );
}

function localUrl(url) {
  if (!url || !URL.canParse(url, location.href)) return null;
  const parsed = new URL(url, location.href);
  return parsed.origin === location.origin ? parsed.href : null;
}

async function preview(name, url) {
  try {
    const reply = await fetch(url);
    if (!reply.ok) throw new Error(`HTTP ${reply.status}`);
    const text = await reply.text();
    const cut = text.length > PREVIEW_CHARACTERS;
    openDialog({
      title: name,
      className: "dialog-wide",
      testid: "file-preview",
      content: h("form", { method: "dialog" },
        h("pre", { tabindex: "0" }, text.slice(0, PREVIEW_CHARACTERS)),
        cut && h("p", { class: "quiet" }, "This is the beginning; the download has all of it."),
        h("div", { class: "dialog-buttons" }, h("button", { class: "button" }, "Close")),
      ),
    });
  } catch (error) {
    notify(`${name} cannot be shown: ${error.message}.`);
  }
}
