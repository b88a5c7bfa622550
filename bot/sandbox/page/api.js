// The sandbox's control API, one function per call. Failures become errors with words for people.

async function call(method, path, body) {
  let reply;
  try {
    reply = await fetch(path, {
      method,
      headers: body === undefined ? {} : { "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
  } catch (error) {
    throw new Error("The sandbox does not answer. Is it still running in the terminal?", { cause: error });
  }
  const text = await reply.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = { error: text };
  }
  if (!reply.ok) throw new Error(answer?.message ?? answer?.error ?? `${method} ${path}: HTTP ${reply.status}`);
  return answer;
}

function query(path, params) {
  const wanted = Object.entries(params).filter(([, value]) => value !== undefined && value !== null);
  return `${path}?${new URLSearchParams(wanted)}`;
}

export const api = {
  state: () => call("GET", "/control/state"),
  messages: (channel, viewer, thread_ts) => call("GET", query("/control/messages", { channel, viewer, thread_ts })),
  command: (body) => call("POST", "/control/command", body),
  click: (body) => call("POST", "/control/click", body),
  views: (user) => call("GET", query("/control/views", { user })),
  event: (body) => call("POST", "/control/event", body),
  submit: (body) => call("POST", "/control/submit", body),
  traffic: (since) => call("GET", query("/control/traffic", { since })),
  addFault: (body) => call("POST", "/control/faults", body),
  removeFault: (id) => call("DELETE", `/control/faults/${encodeURIComponent(id)}`),
  advanceClock: (advance_s) => call("POST", "/control/clock", { advance_s }),
  cluster: (member, action) => call("POST", "/control/cluster", { member, do: action }),
};
