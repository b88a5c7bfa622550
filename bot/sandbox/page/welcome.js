// What an empty channel says to somebody who is here for the first time.

import { suggest } from "./composer.js";
import { h } from "./dom.js";
import { store } from "./store.js";

const FIRST = [
  ["/etcd health", "How is the demo cluster?"],
  ["/etcd members", "Who is in it?"],
  ["/etcd help", "What else can I ask?"],
];

export function welcome() {
  if (store.place.bot_is_member === false) {
    return h("section", { class: "welcome", testid: "welcome" },
      h("h2", {}, `#${store.channel} is quiet`),
      h("p", {}, "The bot is not in this channel, so a command sent from here shows how it declines. ",
        "Go to #ops to work with it."),
    );
  }
  return h("section", { class: "welcome", testid: "welcome", "aria-labelledby": "welcome-title" },
    h("h2", { id: "welcome-title" }, `Welcome to #${store.channel}`),
    h("p", {}, "Nothing has been said here yet. The bot is listening, and a real three-member etcd cluster named ",
      h("strong", {}, "demo"), " runs beside it on this machine. Try:"),
    h("ul", { class: "welcome-tries" }, FIRST.map(([command, why]) =>
      h("li", {}, h("button", { type: "button", class: "try", onclick: () => suggest(command) },
        h("code", {}, command), h("span", {}, why))),
    )),
    h("p", { class: "quiet" },
      "Then stop a member under “Faults & cluster” above, and ask again."),
  );
}
