// The conversation on the page: order, edits in place, what is unsent, and where the reader stands.

import { divider, mine, theirs, typing } from "./message.js";
import { say } from "./texts.js";

const LOST_PATIENCE = 30_000;

export class Log {
  #log = document.getElementById("log");
  #newer = document.getElementById("newer");
  #opening = document.getElementById("opening");
  #typing = typing();
  #patience = 0;
  #bubbles = new Map(); // sequence → element; an edit takes over the element of what it replaces
  #mine = new Map(); // id → element
  #day = "";
  #unread = null;
  #hooks;

  // hooks: press(choice, button), enlarge(picture, opener), retry()
  constructor(hooks) {
    this.#hooks = hooks;
    this.#newer.addEventListener("click", () => this.#show(this.#unread));
    this.#log.addEventListener("scroll", () => {
      if (this.#atEnd()) this.#newer.hidden = true;
    }, { passive: true });
    // The keyboard of a phone takes half of the room: the end stays in sight.
    let height = this.#log.clientHeight;
    new ResizeObserver(() => {
      const grown = this.#log.clientHeight - height;
      height = this.#log.clientHeight;
      if (grown < 0) this.#log.scrollTop -= grown;
    }).observe(this.#log);
  }

  // The conversation is shown as it was: from here on, what is new is read aloud.
  settle() {
    this.#unread = null;
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#log.setAttribute("aria-live", "polite");
  }

  open(empty) {
    this.#opening.hidden = !empty;
    this.#log.hidden = empty;
  }

  // A message of ours; repeated ones are dropped by their sequence. Returns whether it was new.
  hear({ sequence, edits, at, payload }) {
    if (this.#bubbles.has(sequence)) return false;
    this.open(false);
    const bubble = theirs(payload, new Date(at), this.#hooks.press, this.#hooks.enlarge);
    const earlier = this.#bubbles.get(edits);
    this.#bubbles.set(sequence, bubble);
    this.wait(false);
    if (earlier?.isConnected) {
      this.#replace(earlier, bubble);
      return true;
    }
    const follow = this.#atEnd();
    this.#append(bubble, new Date(at));
    if (follow) this.#show(this.#unread ??= bubble);
    else if (this.#newer.hidden) this.#unread = bubble;
    this.#newer.hidden = follow;
    return true;
  }

  // A message of the traveler. status: «sending», «sent», «not_sent» or «refused».
  say({ id, content, at }, status) {
    const bubble = this.#mine.get(id) ?? mine(content, new Date(at));
    this.#mine.set(id, bubble);
    if (!bubble) return;
    this.open(false);
    this.#log.querySelectorAll(".message.theirs:not(.past)").forEach((old) => old.classList.add("past"));
    this.#append(bubble, new Date(at));
    this.#unread = null;
    this.mark(id, status);
    this.#log.scrollTop = this.#log.scrollHeight;
  }

  mark(id, status) {
    const bubble = this.#mine.get(id);
    if (!bubble || bubble.dataset.status === status) return;
    bubble.dataset.status = status;
    const words = [say(status)];
    if (status === "not_sent") {
      const retry = document.createElement("button");
      retry.type = "button";
      retry.className = "retry";
      retry.textContent = say("retry");
      retry.addEventListener("click", this.#hooks.retry);
      words.push(retry);
    }
    bubble.querySelector(".status").replaceChildren(...words);
  }

  // The three dots, until something comes or it takes too long to be believed.
  wait(on) {
    clearTimeout(this.#patience);
    this.#typing.remove();
    if (!on) return;
    const follow = this.#atEnd();
    this.#log.append(this.#typing);
    this.#patience = setTimeout(() => this.#typing.remove(), LOST_PATIENCE);
    if (follow) this.#log.scrollTop = this.#log.scrollHeight;
  }

  #append(bubble, moment) {
    const day = moment.toDateString();
    if (day !== this.#day) {
      this.#day = day;
      this.#log.append(divider(moment));
    }
    this.#log.append(bubble);
    if (this.#typing.isConnected) this.#log.append(this.#typing);
  }

  // Whoever turns the page of a calendar by keyboard stays where she was.
  #replace(earlier, bubble) {
    const inside = earlier.contains(document.activeElement);
    const focus = inside ? document.activeElement.dataset.focus : undefined;
    const past = earlier.classList.contains("past") && bubble !== this.#log.lastElementChild;
    const end = this.#atEnd();
    earlier.replaceWith(bubble);
    bubble.classList.toggle("past", past && !inside);
    if (end) this.#log.scrollTop = this.#log.scrollHeight;
    if (!inside) return;
    const same = focus && [...bubble.querySelectorAll("[data-focus]")].find((e) => e.dataset.focus === focus);
    (same ?? bubble.querySelector(".calendar [tabindex='0'], button, a") ?? this.#log).focus({ preventScroll: true });
  }

  #atEnd() {
    return this.#log.scrollHeight - this.#log.scrollTop - this.#log.clientHeight < 80;
  }

  // Down to the end, but not past the beginning of what has not been read.
  #show(unread) {
    const top = unread?.isConnected ? unread.offsetTop - 16 : Infinity;
    this.#log.scrollTop = Math.min(top, this.#log.scrollHeight);
    this.#newer.hidden = true;
  }
}
