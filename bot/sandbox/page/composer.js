// The line at the bottom: slash commands with hints, history, and what became of the last one.

import { api } from "./api.js";
import { byId, fill, h } from "./dom.js";
import { Hints } from "./hints.js";
import { store } from "./store.js";

const QUIET = "Only slash commands work here. Type / to see them; ↑ brings back the last one.";
const history = [];
let place = 0; // in history; history.length is the line being written
let waiting = 0;
let hints;

const input = () => byId("composer-input");

export function mountComposer() {
  hints = new Hints(input(), byId("hints"), (text) => write(text));
  byId("composer").addEventListener("submit", (event) => {
    event.preventDefault();
    send(input().value.trim());
  });
  input().addEventListener("input", () => {
    place = history.length;
    hints.update();
    advise();
  });
  input().addEventListener("keydown", onKey);
  store.on("view", () => {
    input().placeholder = `Ask in #${store.channel} as ${store.viewer}: type /`;
  });
  store.on("state", () => hints.update({ onlyIfOpen: true }));
  advise();
}

/** Fills the line, ready to be sent. */
export function suggest(command) {
  write(command);
  hints.close();
  input().focus();
}

function write(text) {
  input().value = text;
  input().setSelectionRange(text.length, text.length);
  advise();
}

function onKey(event) {
  if (event.isComposing || hints.onKey(event)) return;
  if (event.key === "ArrowUp" || event.key === "ArrowDown") {
    const wanted = place + (event.key === "ArrowUp" ? -1 : 1);
    if (wanted < 0 || wanted > history.length) return;
    event.preventDefault();
    place = wanted;
    write(history[place] ?? "");
  }
}

/** The quiet line below: what the command at hand expects, or how this place works. */
function advise() {
  const text = input().value;
  const word = text.split(/\s/)[0];
  const command = store.state.commands.find((known) => known.command === word);
  if (command) return say(["Usage: ", h("code", {}, `${command.command} ${command.usage_hint ?? ""}`.trim())]);
  if (text && !text.startsWith("/")) return say("There are no plain messages in this sandbox: start with a slash.");
  return say(QUIET);
}

function say(content, kind = "quiet") {
  const status = byId("composer-status");
  status.className = `composer-status composer-${kind}`;
  fill(status, content);
}

async function send(line) {
  if (!line) return;
  if (!line.startsWith("/")) {
    say("Not sent: there are no plain messages in this sandbox. Start with a slash, for example /etcd health.", "problem");
    return;
  }
  if (history.at(-1) !== line) history.push(line);
  place = history.length;
  hints.close();
  write("");
  const [, command, text] = /^(\S+)\s*(.*)$/s.exec(line);
  spin(+1);
  try {
    const answer = await api.command({ user: store.viewer, channel: store.channel, command, text });
    if (!answer.acked) {
      fail(line, `${command} failed: the bot did not acknowledge it within 3 seconds. It may be starting or stopped; ask again in a moment.`);
    }
  } catch (error) {
    fail(line, `${command} was not delivered. ${error.message}`);
  } finally {
    spin(-1);
  }
}

function fail(line, words) {
  if (!input().value) input().value = line;
  say(words, "problem");
}

function spin(change) {
  waiting += change;
  byId("composer").setAttribute("aria-busy", String(waiting > 0));
}
