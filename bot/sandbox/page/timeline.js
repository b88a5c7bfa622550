// A scrolling list of messages that stays at its end if it was there, and says so if it was not.

import { reconcile } from "./dom.js";

const NEAR_END_PX = 60;

export class Timeline {
  #pinned = true;
  #top = 0; // where it stood when #pinned was decided
  #last = null;

  /** `scroller` scrolls, `list` inside it holds the items, `pill` (optional) leads to new messages. */
  constructor(scroller, list, pill) {
    this.scroller = scroller;
    this.list = list;
    this.pill = pill;
    scroller.addEventListener("scroll", () => this.#look());
    pill?.addEventListener("click", () => this.toEnd());
    const keep = new ResizeObserver(() => this.#pinned && this.toEnd());
    keep.observe(list);
    keep.observe(scroller);
  }

  toEnd() {
    this.#pinned = true;
    this.scroller.scrollTop = this.scroller.scrollHeight;
    this.#top = this.scroller.scrollTop;
    if (this.pill) this.pill.hidden = true;
  }

  #look() {
    const { scrollHeight, scrollTop, clientHeight } = this.scroller;
    this.#top = scrollTop;
    this.#pinned = scrollHeight - scrollTop - clientHeight < NEAR_END_PX;
    if (this.#pinned && this.pill) this.pill.hidden = true;
  }

  /** `items` as for reconcile(), oldest first. */
  show(items) {
    const last = items.at(-1)?.key ?? null;
    const grew = last !== this.#last && this.#last !== null;
    this.#last = last;
    if (this.scroller.scrollTop !== this.#top) this.#look(); // moved, but the event is still to come
    reconcile(this.list, items);
    if (this.#pinned) this.toEnd();
    else if (grew && this.pill) this.pill.hidden = false;
  }

  /** Another channel or another person: begin at the end again. */
  reset() {
    this.#last = null;
    this.toEnd();
  }
}
