// What the traveler wrote, kept until the server has stored it: in order, one at a time, each under an id of its own,
// so that sending it again can never make it two.

const KEY = "rahhal.unsent";
const PATIENCE = 15_000;
const LONGEST_PAUSE = 30_000;

export class Outbox {
  #unsent = [];
  #sending = false;
  #timer = 0;
  #failures = 0;
  #hooks;
  #language;

  // hooks: introduce(again) makes us known, once unless `again`; status(id, status); stored(content); slow() when told to slow down
  constructor(language, hooks) {
    this.#language = language;
    this.#hooks = hooks;
    this.#unsent = read();
    addEventListener("online", () => this.flush());
    document.addEventListener("visibilitychange", () => document.hidden || this.flush());
  }

  get unsent() {
    return [...this.#unsent];
  }

  add(content) {
    const message = { id: crypto.randomUUID?.() ?? uuid(), content, at: new Date().toISOString() };
    this.#unsent.push(message);
    this.#keep();
    return message;
  }

  // What the server turned out to have already.
  forget(id) {
    this.#unsent = this.#unsent.filter((message) => message.id !== id);
    this.#keep();
  }

  async flush() {
    clearTimeout(this.#timer);
    if (this.#sending) return;
    this.#sending = true;
    let pause = 0;
    try {
      while (this.#unsent.length && !pause) pause = await this.#send(this.#unsent[0]);
    } finally {
      this.#sending = false;
    }
    if (pause) this.#timer = setTimeout(() => this.flush(), pause);
  }

  // Returns how long to pause in milliseconds, 0 to go on.
  async #send(message) {
    this.#hooks.status(message.id, "sending");
    let answer;
    try {
      await this.#hooks.introduce(false);
      answer = await this.#post(message);
      if (answer.status === 401) {
        await this.#hooks.introduce(true);
        answer = await this.#post(message);
      }
    } catch {
      return this.#failed();
    }
    if (answer.ok) {
      this.#failures = 0;
      this.forget(message.id);
      this.#hooks.status(message.id, "sent");
      this.#hooks.stored(message.content);
      return 0;
    }
    if (answer.status === 413 || answer.status === 422) {
      this.forget(message.id);
      this.#hooks.status(message.id, "refused");
      return 0;
    }
    const told = Number(answer.headers.get("Retry-After")) * 1000;
    if (answer.status === 429) this.#hooks.slow();
    return Math.max(told, this.#failed());
  }

  #failed() {
    for (const { id } of this.#unsent) this.#hooks.status(id, "not_sent");
    this.#failures += 1;
    return Math.min(1000 * 2 ** (this.#failures - 1), LONGEST_PAUSE) * (0.75 + Math.random() / 2);
  }

  #post({ id, content }) {
    return fetch("/chat/messages", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ id, content, language: this.#language }),
      signal: AbortSignal.timeout(PATIENCE),
    });
  }

  #keep() {
    try {
      localStorage.setItem(KEY, JSON.stringify(this.#unsent));
    } catch {
      // No storage in this browser, or no room: the message lives as long as the page.
    }
  }
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? kept.filter((message) => message?.id && message?.content) : [];
  } catch {
    return [];
  }
}

// Plain http on another machine has no randomUUID.
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
