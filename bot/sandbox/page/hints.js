// The list of slash commands above the composer: a combobox with a listbox.

import { fill, h } from "./dom.js";
import { store } from "./store.js";

export class Hints {
  #shown = [];
  #active = 0;

  /** `onPick` gets the text that takes the place of what was typed. */
  constructor(input, list, onPick) {
    this.input = input;
    this.list = list;
    this.onPick = onPick;
    input.addEventListener("blur", () => this.close());
  }

  update({ onlyIfOpen = false } = {}) {
    if (onlyIfOpen && this.list.hidden) return;
    const typed = this.input.value;
    this.#shown = /^\/\S*$/.test(typed)
      ? store.state.commands.filter(({ command }) => command.startsWith(typed))
      : [];
    this.#active = 0;
    this.#draw();
  }

  close() {
    this.#shown = [];
    this.#draw();
  }

  /** True when the key was meant for the list. */
  onKey(event) {
    if (!this.#shown.length) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const exact = this.#shown[this.#active].command === this.input.value;
    if (step) {
      this.#active = (this.#active + step + this.#shown.length) % this.#shown.length;
      this.#draw();
    } else if (event.key === "Tab" && !event.shiftKey) this.#pick();
    else if (event.key === "Enter" && !exact) this.#pick();
    else if (event.key === "Escape") this.close();
    else return false;
    event.preventDefault();
    return true;
  }

  #pick(index = this.#active) {
    const { command } = this.#shown[index];
    this.close();
    this.onPick(`${command} `);
  }

  #draw() {
    fill(this.list, this.#shown.map((hint, index) => this.#option(hint, index)));
    this.list.hidden = !this.#shown.length;
    this.input.setAttribute("aria-expanded", String(!this.list.hidden));
    if (this.list.hidden) this.input.removeAttribute("aria-activedescendant");
    else this.input.setAttribute("aria-activedescendant", `hint-${this.#active}`);
    this.list.querySelector("[aria-selected=true]")?.scrollIntoView({ block: "nearest" });
  }

  #option({ command, usage_hint, description }, index) {
    const selected = index === this.#active;
    return h("li", {
        id: `hint-${index}`,
        role: "option",
        testid: "hint",
        "aria-selected": String(selected),
        onmousedown: (event) => {
          event.preventDefault(); // the line keeps the focus
          this.#pick(index);
        },
      },
      h("span", { class: "hint-command" }, h("strong", {}, command), " ", h("span", {}, usage_hint ?? "")),
      h("span", { class: "hint-about" }, description ?? ""),
    );
  }
}
