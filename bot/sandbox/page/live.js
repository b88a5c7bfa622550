// The live WebSocket: one connection for the current viewer, opened again with growing pauses.

const FIRST_PAUSE_MS = 400;
const LONGEST_PAUSE_MS = 10_000;

export class Live {
  #socket = null;
  #attempt = 0;
  #timer = 0;
  #viewer = "";

  /** `onFrame` gets each parsed frame, `onStatus` "live" or "reconnecting". */
  constructor({ onFrame, onStatus }) {
    this.onFrame = onFrame;
    this.onStatus = onStatus;
  }

  open(viewer) {
    this.#viewer = viewer;
    this.#attempt = 0;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#timer);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(
      `${scheme}://${location.host}/control/live?viewer=${encodeURIComponent(this.#viewer)}`,
    );
    const previous = this.#socket;
    this.#socket = socket;
    previous?.close();
    socket.addEventListener("message", (event) => {
      if (socket !== this.#socket) return;
      const frame = JSON.parse(event.data);
      if (frame.type === "hello") {
        this.#attempt = 0;
        this.onStatus("live");
      }
      this.onFrame(frame);
    });
    socket.addEventListener("close", () => {
      if (socket !== this.#socket) return;
      this.onStatus("reconnecting");
      const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#attempt);
      this.#attempt += 1;
      this.#timer = setTimeout(() => this.#connect(), pause * (0.75 + Math.random() / 2));
    });
  }
}
