// Ctrl+K or Cmd+K: go to a channel, or be somebody else, by typing a few letters.

import { byId, fill, h } from "./dom.js";
import { openDialog } from "./dialog.js";
import { rolesOf } from "./format.js";
import { openChannel, switchUser } from "./session.js";
import { store } from "./store.js";

export function mountSwitcher() {
  byId("jump").addEventListener("click", jump);
  document.addEventListener("keydown", (event) => {
    if (event.key.toLowerCase() !== "k" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    if (!document.querySelector("dialog[open]")) jump();
  });
}

function targets() {
  return [
    ...store.places.map(({ name }) => ({ label: `#${name}`, about: "channel", go: () => openChannel(name) })),
    ...store.people.map((user) => ({
      label: `@${user.handle}`,
      about: ["be this person", ...rolesOf(user)].join(" · "),
      go: () => switchUser(user.handle),
    })),
  ];
}

function jump() {
  let shown = [];
  let active = 0;
  const list = h("ul", { role: "listbox", id: "jump-list", class: "jump-list", "aria-label": "Channels and people" });
  const input = h("input", {
    class: "text-input",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "jump-list",
    "aria-label": "Channel or person",
    placeholder: "Channel or person",
    autocomplete: "off",
    autofocus: true,
    testid: "jump-input",
  });
  const dialog = openDialog({ title: "Jump to", content: [input, list], testid: "jump-dialog", className: "dialog-jump" });
  const go = (target) => {
    dialog.close();
    byId("composer-input").focus();
    target.go();
  };
  const draw = () => {
    fill(list, shown.map((target, index) =>
      h("li", {
          role: "option",
          id: `jump-${index}`,
          "aria-selected": String(index === active),
          onclick: () => go(target),
        },
        h("strong", {}, target.label),
        h("span", {}, target.about),
      ),
    ));
    input.setAttribute("aria-activedescendant", shown.length ? `jump-${active}` : "");
    list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  };
  const filter = () => {
    const wanted = input.value.trim().toLowerCase();
    shown = targets().filter((target) => target.label.includes(wanted));
    active = 0;
    draw();
  };
  input.addEventListener("input", filter);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && shown.length) {
      event.preventDefault();
      active = (active + step + shown.length) % shown.length;
      draw();
    } else if (event.key === "Enter") {
      event.preventDefault();
      if (shown[active]) go(shown[active]);
    }
  });
  filter();
}
