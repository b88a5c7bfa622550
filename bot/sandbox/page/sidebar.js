// The sidebar: workspace, readiness, channels with what is unread, and who you are.

import { byId, fill, h, icon } from "./dom.js";
import { plural, rolesOf } from "./format.js";
import { avatar } from "./message.js";
import { openChannel, switchUser } from "./session.js";
import { store } from "./store.js";

export function mountSidebar() {
  const show = () => {
    byId("team-name").textContent = store.state.team?.name ?? "Sandbox";
    status();
    fill(byId("channel-list"), store.places.map(channelItem));
    me();
    document.title = `${store.unreadTotal ? `(${store.unreadTotal}) ` : ""}#${store.channel} · sandbox`;
  };
  store.on("state", show);
  store.on("view", show);
  userMenu();
  narrow();
}

function status() {
  const [kind, words] = store.status;
  const node = byId("status");
  node.dataset.kind = kind;
  node.textContent = words;
}

function channelItem(channel) {
  const unread = store.unread.get(channel.name) ?? 0;
  const here = channel.name === store.channel;
  return h("li", {},
    h("button", {
        type: "button",
        class: unread ? "channel channel-unread" : "channel",
        testid: `channel-${channel.name}`,
        "aria-current": here && "page",
        onclick: () => {
          byId("sidebar").classList.remove("sidebar-open");
          openChannel(channel.name);
        },
      },
      icon(channel.is_private ? "lock" : channel.is_ext_shared ? "shared" : "hash"),
      h("span", { class: "channel-title" }, channel.name),
      unread > 0 && h("span", { class: "unread", "aria-label": `${unread} unread` }, String(unread)),
    ),
  );
}

function me() {
  const user = store.me;
  fill(byId("user-switcher"),
    avatar({ name: user.name ?? user.handle }),
    h("span", { class: "me" },
      h("span", {}, "You are: ", h("strong", {}, user.handle), " ▾"),
      h("small", {}, rolesOf(user).join(", ")),
    ),
  );
}

function userMenu() {
  const button = byId("user-switcher");
  const menu = byId("user-menu");
  const close = (refocus) => {
    if (menu.hidden) return;
    menu.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (refocus) button.focus();
  };
  button.addEventListener("click", () => {
    if (!menu.hidden) return close(true);
    fill(menu, store.people.map((user) => userItem(user, () => close(true))));
    menu.hidden = false;
    button.setAttribute("aria-expanded", "true");
    menu.querySelector("[aria-checked=true]")?.focus();
    return undefined;
  });
  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const wanted = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (wanted !== undefined) items.at(wanted % items.length).focus();
    else if (event.key === "Escape") close(true);
    else if (event.key === "Tab") return close(false);
    else return undefined;
    return event.preventDefault();
  });
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target) && !button.contains(event.target)) close(false);
  });
}

function userItem(user, done) {
  return h("button", {
      type: "button",
      role: "menuitemradio",
      "aria-checked": String(user.handle === store.viewer),
      class: "user",
      testid: `user-${user.handle}`,
      onclick: () => {
        done();
        switchUser(user.handle);
      },
    },
    avatar({ name: user.name ?? user.handle }),
    h("span", { class: "me" },
      h("strong", {}, user.handle),
      h("small", {}, [user.name === user.handle ? null : user.name, ...rolesOf(user)].filter(Boolean).join(" · ")),
    ),
  );
}

/** On a narrow window the sidebar lies over the messages. */
function narrow() {
  const sidebar = byId("sidebar");
  byId("menu-toggle").addEventListener("click", () => {
    sidebar.classList.add("sidebar-open");
    sidebar.querySelector("[aria-current]")?.focus();
  });
  byId("menu-close").addEventListener("click", () => {
    sidebar.classList.remove("sidebar-open");
    byId("menu-toggle").focus();
  });
  byId("home-open").addEventListener("click", () => sidebar.classList.remove("sidebar-open"));
  sidebar.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) sidebar.classList.remove("sidebar-open");
  });
  store.on("state", () => {
    byId("menu-toggle").setAttribute("aria-label", `Channels and user, ${plural(store.unreadTotal, "unread message")}`);
  });
}
