// Keeps the store and the server in step: who looks, at what, and what arrives meanwhile.

import { api } from "./api.js";
import { Live } from "./live.js";
import { store } from "./store.js";

const STARTING_POLL_MS = 1500;

let turn = 0; // only the newest load may write
let viewsHeard = 0; // a live frame is newer than a read that began before it
const live = new Live({
  onFrame: (frame) => frames[frame.type]?.(frame),
  onStatus: (status) => store.setConnection(status),
});

const frames = {
  hello: async ({ state }) => {
    if (state) takeState(state);
    else await refreshState();
    await Promise.all([reload(), catchUpTraffic(), catchUpViews()]);
  },
  state: ({ state }) => takeState(state),
  message: ({ channel, message }) => store.put(channel, message),
  deleted: ({ channel, ts }) => store.remove(channel, ts),
  views: (frame) => {
    viewsHeard += 1;
    store.setViews(frame);
  },
  traffic: ({ entry }) => store.addTraffic([entry]),
};

/** Starts from the address bar, so that each tab can be another person: `/?user=bob&channel=ops`. */
export function start() {
  const asked = new URLSearchParams(location.search);
  if (asked.get("channel")) store.setChannel(asked.get("channel"));
  store.setViewer(asked.get("user") ?? store.viewer);
  live.open(store.viewer);
  setInterval(() => {
    if (!store.state.ready && store.connection === "live") refreshState();
  }, STARTING_POLL_MS);
}

export function switchUser(handle) {
  store.setViewer(handle);
  remember();
  live.open(handle);
}

export function openChannel(name) {
  store.setChannel(name);
  remember();
  return reload();
}

export function openThread(ts) {
  store.setThread(ts);
  return reload();
}

export const closeThread = () => store.setThread(null);

export async function refreshState() {
  try {
    takeState(await api.state());
  } catch {
    // the connection mark already says that the sandbox is away
  }
}

function takeState(state) {
  store.setState(state);
  const { people } = store;
  if (people.length && !store.userByHandle(store.viewer)) switchUser(people[0].handle);
  const { places } = store;
  if (places.length && !places.some(({ name }) => name === store.channel)) openChannel(places[0].name);
}

async function reload() {
  const mine = ++turn;
  const { channel, viewer, thread } = store;
  store.beginLoad();
  try {
    const lists = await Promise.all([
      api.messages(channel, viewer),
      thread ? api.messages(channel, viewer, thread) : [],
    ]);
    if (mine === turn) store.finishLoad(channel, lists.flat());
  } catch (error) {
    if (mine === turn) store.failLoad(error.message);
  }
}

async function catchUpTraffic() {
  try {
    const missed = await api.traffic(store.lastTraffic);
    store.addTraffic(missed);
  } catch {
    // the inspector goes on with what arrives live
  }
}

async function catchUpViews() {
  const { viewer } = store;
  const heard = viewsHeard;
  try {
    const views = await api.views(viewer);
    if (viewer === store.viewer && heard === viewsHeard) store.setViews(views);
  } catch {
    // they arrive live when the bot changes one
  }
}

function remember() {
  const here = new URLSearchParams({ user: store.viewer, channel: store.channel });
  history.replaceState(null, "", `?${here}`);
}
