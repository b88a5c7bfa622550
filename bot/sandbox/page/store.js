// What the page knows, and who wants to hear of changes. No network, no DOM.

const NOTHING_YET = {
  ready: false,
  team: {},
  users: [],
  channels: [],
  faults: [],
  commands: [],
};
const TRAFFIC_KEPT = 1000;

const isReply = (message) => Boolean(message.thread_ts) && message.thread_ts !== message.ts;

class Store extends EventTarget {
  state = NOTHING_YET;
  viewer = "alice";
  channel = "ops";
  thread = null; // ts of the root of the open thread
  connection = "connecting";
  problem = null; // why the messages could not be loaded
  loaded = false;
  unread = new Map();
  traffic = new Map();
  home = null; // the bot's Home tab for the viewer
  modals = []; // that the bot opened for the viewer, topmost last
  #messages = new Map();
  #late = null; // what arrived while a load was under way: told again after it

  on(kind, listener) {
    this.addEventListener(kind, (event) => listener(event.detail));
  }

  #tell(kind, detail) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  // people and places

  get me() {
    return this.userByHandle(this.viewer) ?? { handle: this.viewer };
  }

  /** [kind, words] for the mark that says whether commands will be answered. */
  get status() {
    if (this.connection === "connecting") return ["waiting", "connecting…"];
    if (this.connection === "reconnecting") return ["away", "reconnecting…"];
    return this.state.ready ? ["ready", "ready"] : ["waiting", "starting…"];
  }

  get people() {
    return this.state.users.filter((user) => user.handle && !user.is_bot);
  }

  /** The channels; of direct conversations only the viewer's own. */
  get places() {
    return this.state.channels.filter(({ is_im, members }) => !is_im || members?.includes(this.viewer));
  }

  get unreadTotal() {
    return this.places.reduce((sum, { name }) => sum + (this.unread.get(name) ?? 0), 0);
  }

  get place() {
    return this.state.channels.find((channel) => channel.name === this.channel) ?? { name: this.channel };
  }

  userByHandle = (handle) => this.state.users.find((user) => user.handle === handle);
  userById = (id) => this.state.users.find((user) => user.id === id);
  groupById = (id) => this.state.groups?.find((group) => group.id === id);
  channelById = (id) => this.state.channels.find((channel) => channel.id === id);

  setState(state) {
    this.state = { ...NOTHING_YET, ...state };
    this.#tell("state");
  }

  setConnection(connection) {
    if (connection === this.connection) return;
    this.connection = connection;
    this.#tell("state");
  }

  setViewer(handle) {
    this.viewer = handle;
    this.#messages.clear();
    this.unread.clear();
    this.loaded = false;
    this.setViews({});
    this.#tell("view");
  }

  setChannel(name) {
    if (name !== this.channel) this.thread = null;
    this.channel = name;
    this.unread.delete(name);
    this.loaded = false;
    this.#tell("view");
  }

  setThread(ts) {
    this.thread = ts;
    this.#tell("thread");
  }

  // messages

  messages(channel = this.channel) {
    const known = [...(this.#messages.get(channel)?.values() ?? [])];
    return known.sort((a, b) => Number(a.ts) - Number(b.ts));
  }

  /** Top-level messages, oldest first, each with the number of its replies. */
  timeline() {
    const counts = new Map();
    const all = this.messages();
    for (const message of all) {
      if (isReply(message) && !message.is_ephemeral) {
        counts.set(message.thread_ts, (counts.get(message.thread_ts) ?? 0) + 1);
      }
    }
    return all
      .filter((message) => !isReply(message) || message.subtype === "thread_broadcast")
      .map((message) => ({
        message,
        replies: Math.max(message.reply_count ?? 0, counts.get(message.ts) ?? 0),
      }));
  }

  replies(root) {
    return this.messages().filter((message) => message.thread_ts === root && message.ts !== root);
  }

  message(ts) {
    return this.#messages.get(this.channel)?.get(ts);
  }

  beginLoad() {
    this.#late = [];
  }

  finishLoad(channel, messages) {
    this.#messages.set(channel, new Map(messages.map((message) => [message.ts, message])));
    const late = this.#late ?? [];
    this.#late = null;
    this.loaded = true;
    this.problem = null;
    for (const replay of late) replay();
    this.#tell("messages", { channel });
  }

  failLoad(problem) {
    this.#late = null;
    this.problem = problem;
    this.#tell("messages", { channel: this.channel });
  }

  put(channel, message) {
    this.#late?.push(() => this.#keep(channel, message));
    const before = this.#keep(channel, message);
    if (!before && channel !== this.channel) {
      this.unread.set(channel, (this.unread.get(channel) ?? 0) + 1);
      this.#tell("state");
    }
    this.#tell("messages", { channel });
    if (before?.text !== message.text) this.#tell("arrived", { channel, message });
  }

  remove(channel, ts) {
    this.#late?.push(() => this.#messages.get(channel)?.delete(ts));
    this.#messages.get(channel)?.delete(ts);
    this.#tell("messages", { channel });
  }

  /** Stores it and answers the version before it; a new reply counts at its parent at once. */
  #keep(channel, message) {
    if (!this.#messages.has(channel)) this.#messages.set(channel, new Map());
    const known = this.#messages.get(channel);
    const before = known.get(message.ts);
    known.set(message.ts, message);
    const parent = known.get(message.thread_ts);
    const counted = before || !isReply(message) || message.is_ephemeral;
    if (!counted && parent && Number(parent.latest_reply ?? 0) < Number(message.ts)) {
      known.set(parent.ts, {
        ...parent,
        reply_count: (parent.reply_count ?? 0) + 1,
        latest_reply: message.ts,
      });
    }
    return before;
  }

  setViews({ home = null, modals = [] }) {
    this.home = home;
    this.modals = modals;
    this.#tell("views");
  }

  // Web API calls

  get lastTraffic() {
    return Math.max(0, ...this.traffic.keys());
  }

  addTraffic(entries) {
    for (const entry of entries) this.traffic.set(entry.n, entry);
    const surplus = this.traffic.size - TRAFFIC_KEPT;
    for (const n of [...this.traffic.keys()].slice(0, Math.max(0, surplus))) this.traffic.delete(n);
    this.#tell("traffic");
  }

  clearTraffic() {
    this.traffic.clear();
    this.#tell("traffic");
  }
}

export const store = new Store();
