// What is said to us: through a socket, or by asking again and again where sockets do not get through. Either way we say
// which sequence we have, and nothing is missed.

const PING = 20_000;
const PONG = 8_000;
const OPENING = 10_000;
const UNKNOWN_VISITOR = 4401;
const FAILURES = 2;
const ASKING = 60_000;
const LONGEST_PAUSE = 20_000;

export class Stream {
  #hooks;
  #socket = null;
  #running = false;
  #failures = 0;
  #askUntil = 0;
  #asking = false;
  #timers = { ping: 0, pong: 0, retry: 0 };

  // hooks: last() the newest sequence we have; messages(list); state(name); unknown() when the server does not know us any more
  constructor(hooks) {
    this.#hooks = hooks;
    addEventListener("online", () => this.#soon());
    addEventListener("offline", () => this.#running && hooks.state("offline"));
    document.addEventListener("visibilitychange", () => document.hidden || this.#soon());
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  // We are known by another name now, and the old line would bring nothing.
  restart() {
    if (this.#socket) this.#drop(this.#socket);
  }

  // An answer is expected: the server looks more often for a while.
  expect() {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send("waiting");
  }

  #connect() {
    clearTimeout(this.#timers.retry);
    if (!navigator.onLine) this.#hooks.state("offline");
    else this.#hooks.state(this.#failures ? "reconnecting" : "connecting");
    if (performance.now() < this.#askUntil) {
      this.#ask();
      return;
    }
    const url = new URL(`/chat/socket?after=${this.#hooks.last()}`, location.href);
    url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(url);
    const tooLong = setTimeout(() => this.#drop(socket), OPENING);
    let opened = false;
    this.#socket = socket;
    socket.onopen = () => {
      opened = true;
      clearTimeout(tooLong);
      this.#failures = 0;
      this.#hooks.state("connected");
      this.#watch(socket);
    };
    socket.onmessage = (event) => {
      clearTimeout(this.#timers.pong);
      const frame = JSON.parse(event.data);
      if (frame.type === "messages") this.#hooks.messages(frame.messages);
    };
    socket.onclose = (event) => {
      clearTimeout(tooLong);
      if (this.#socket === socket) this.#closed(event.code, opened);
    };
  }

  #closed(code, opened) {
    clearTimeout(this.#timers.ping);
    clearTimeout(this.#timers.pong);
    this.#socket = null;
    if (code === UNKNOWN_VISITOR) return this.#forgotten();
    this.#failures += 1;
    this.#hooks.state(navigator.onLine ? "reconnecting" : "offline");
    if (!opened && this.#failures >= FAILURES) this.#askUntil = performance.now() + ASKING;
    this.#later();
  }

  // A line that went dead without a word looks open for minutes: ask, and hang up without an answer.
  #watch(socket) {
    this.#timers.ping = setTimeout(() => {
      if (this.#socket !== socket) return;
      socket.send("ping");
      this.#timers.pong = setTimeout(() => this.#drop(socket), PONG);
      this.#watch(socket);
    }, PING);
  }

  // Not waiting for the closing handshake, which a dead line never answers.
  #drop(socket) {
    if (this.#socket !== socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    this.#closed(1006, socket.readyState !== WebSocket.CONNECTING);
  }

  async #ask() {
    this.#asking = true;
    try {
      const answer = await fetch(`/chat/messages?after=${this.#hooks.last()}&wait=25`, {
        signal: AbortSignal.timeout(40_000),
      });
      if (answer.status === 401) return this.#forgotten();
      if (!answer.ok) throw new Error(String(answer.status));
      const { messages } = await answer.json();
      this.#failures = 0;
      this.#hooks.state("connected");
      this.#hooks.messages(messages);
      this.#timers.retry = setTimeout(() => this.#connect(), messages.length ? 0 : 1000);
    } catch {
      this.#failures += 1;
      this.#hooks.state(navigator.onLine ? "reconnecting" : "offline");
      this.#later();
    } finally {
      this.#asking = false;
    }
    return undefined;
  }

  #forgotten() {
    this.#running = false;
    this.#hooks.unknown();
  }

  #later() {
    const pause = Math.min(500 * 2 ** this.#failures, LONGEST_PAUSE) * (0.75 + Math.random() / 2);
    clearTimeout(this.#timers.retry);
    this.#timers.retry = setTimeout(() => this.#connect(), pause);
  }

  // The network is back, or somebody looks at the page again.
  #soon() {
    if (!this.#running || this.#asking) return;
    if (!this.#socket) this.#connect();
    else if (this.#socket.readyState === WebSocket.OPEN) {
      clearTimeout(this.#timers.pong);
      const socket = this.#socket;
      socket.send("ping");
      this.#timers.pong = setTimeout(() => this.#drop(socket), PONG);
    }
  }
}
