// The bot's Home tab for the viewer, in the pane on the right; opening it tells the bot, as in Slack.

import { actOn } from "./actions.js";
import { api } from "./api.js";
import { renderBlocks } from "./blocks.js";
import { byId, fill, h } from "./dom.js";
import { isOpen } from "./panes.js";
import { store } from "./store.js";

export function mountHome() {
  store.on("views", () => isOpen("home") && draw());
  store.on("view", () => isOpen("home") && visit());
  byId("home-open").addEventListener("click", () => isOpen("home") && visit());
}

async function visit() {
  draw();
  try {
    await api.event({ type: "app_home_opened", user: store.viewer });
  } catch (error) {
    fill(byId("home-body"), h("p", { class: "list-problem" }, error.message));
  }
}

function draw() {
  const { home } = store;
  const quiet = `The bot has no Home for ${store.viewer} yet.`;
  fill(byId("home-body"), home ? renderBlocks(home.blocks, actOn({ view_id: home.id })) : h("p", { class: "quiet" }, quiet));
}
