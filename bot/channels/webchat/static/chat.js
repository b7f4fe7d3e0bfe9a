// The page: what the traveler does goes to the outbox, what the stream brings goes to the log.

import { Log } from "./log.js";
import { Outbox } from "./outbox.js";
import { Stream } from "./stream.js";
import { language, maxText, say } from "./texts.js";

const find = (id) => document.getElementById(id);
const composer = find("composer");
const text = find("text");
const state = find("state");
const viewer = find("viewer");
const CALM = 1500;

// ---------------------------------------------------------------------------------------- the parts

const otherTabs = "BroadcastChannel" in window ? new BroadcastChannel("rahhal") : null;
let last = 0; // the newest sequence we have
const pressed = new Map(); // message id → the button that waits for it

const log = new Log({ press, enlarge, retry: () => outbox.flush() });

const outbox = new Outbox(language, {
  introduce,
  status(id, status) {
    log.mark(id, status);
    if (status === "sent" || status === "refused") release(id);
  },
  stored(content) {
    log.wait(content.type !== "press" || content.label !== "");
    stream.start();
    stream.expect();
  },
  slow: () => tell("rate_limited"),
});

const stream = new Stream({
  last: () => last,
  messages: hearAll,
  state: tell,
  unknown: () => tell("connected"), // the next message introduces us again
});

let known = false;

async function introduce(again) {
  if (known && !again) return;
  const answer = await fetch("/chat/visit", { method: "POST", signal: AbortSignal.timeout(15_000) });
  if (!answer.ok) throw new Error(String(answer.status));
  known = true;
  if (again) stream.restart();
}

// ---------------------------------------------------------------------------------------- out

const starting = () => new URLSearchParams(location.search).get("start") ?? "";

function start() {
  const argument = starting().slice(0, 256);
  if (!argument) return;
  history.replaceState(null, "", location.pathname);
  post({ type: "command", name: "start", argument });
}

function send(content, button) {
  start();
  post(content, button);
  outbox.flush();
}

function post(content, button) {
  const message = outbox.add(content);
  if (button) {
    pressed.set(message.id, button);
    button.setAttribute("aria-busy", "true");
  }
  log.say(message, "sending");
  otherTabs?.postMessage(message);
}

function release(id) {
  pressed.get(id)?.removeAttribute("aria-busy");
  pressed.delete(id);
}

function press({ token, label }, button) {
  if (button.hasAttribute("aria-busy")) return;
  send({ type: "press", token, label }, button);
}

function sendText() {
  const words = text.value.trim();
  if (!words) return;
  if ([...words].length > maxText) {
    tell("too_long");
    return;
  }
  text.value = "";
  grow();
  if (state.dataset.name === "too_long") tell("connected");
  send({ type: "text", text: words });
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  sendText();
  text.focus();
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  sendText();
});

text.addEventListener("input", grow);

// Beyond a few hundred letters the field is as tall as it gets: measuring would only make typing slow.
function grow() {
  text.style.blockSize = "auto";
  text.style.blockSize = text.value.length > 600 ? "100rem" : `${text.scrollHeight}px`;
  composer.classList.toggle("written", text.value.trim() !== "");
}

for (const example of document.querySelectorAll(".examples button")) {
  example.addEventListener("click", () => {
    send({ type: "text", text: example.textContent });
    text.focus();
  });
}

// ---------------------------------------------------------------------------------------- location

const locate = find("locate");
locate.hidden = !("geolocation" in navigator && window.isSecureContext);
locate.addEventListener("click", () => {
  locate.setAttribute("aria-busy", "true");
  const done = () => locate.removeAttribute("aria-busy");
  navigator.geolocation.getCurrentPosition(
    ({ coords: { latitude, longitude } }) => {
      done();
      send({ type: "location", latitude, longitude });
    },
    () => {
      done();
      tell("location_failed");
    },
    { timeout: 15_000, maximumAge: 300_000 },
  );
});

// ---------------------------------------------------------------------------------------- in

function hearAll(messages) {
  for (const message of messages) {
    if (log.hear(message)) hint(message.payload.expects);
    last = Math.max(last, message.sequence);
  }
}

// What is asked for decides what a phone's keyboard offers; free text is always welcome.
function hint(expects) {
  text.inputMode = { email: "email", phone: "tel" }[expects] ?? "text";
  text.autocomplete = { name: "name", email: "email", phone: "tel" }[expects] ?? "off";
}

otherTabs?.addEventListener("message", ({ data }) => log.say(data, "sent"));

let calm = 0;
let broken = false;

// The line above the field. A short hiccup is not worth a word; coming back is, to those who do not see it go.
function tell(name) {
  clearTimeout(calm);
  if (name === "connected") {
    show("connected", broken ? say("connected") : "");
    state.classList.add("hidden");
    broken = false;
    return;
  }
  const waits = name === "connecting" || name === "reconnecting";
  calm = setTimeout(() => {
    show(name, say(name));
    state.classList.remove("hidden");
    broken ||= waits || name === "offline";
  }, waits ? CALM : 0);
}

function show(name, words) {
  state.dataset.name = name;
  if (state.textContent !== words) state.textContent = words;
}

// ---------------------------------------------------------------------------------------- pictures

find("viewer-close").setAttribute("aria-label", say("close"));
let opener = null;

function enlarge({ url, alt }, from) {
  opener = from;
  Object.assign(find("viewer-picture"), { src: url, alt });
  viewer.showModal();
}

viewer.addEventListener("click", (event) => event.target === viewer && viewer.close());
viewer.addEventListener("close", () => opener?.focus());

// ---------------------------------------------------------------------------------------- the beginning

async function begin() {
  for (let attempt = 0; ; attempt += 1) {
    tell(navigator.onLine ? (attempt ? "reconnecting" : "connecting") : "offline");
    try {
      const answer = await fetch("/chat/history", { signal: AbortSignal.timeout(15_000) });
      if (!answer.ok) throw new Error(String(answer.status));
      return await answer.json();
    } catch {
      await new Promise((resolve) => {
        setTimeout(resolve, Math.min(1000 * 2 ** attempt, 20_000));
        addEventListener("online", resolve, { once: true });
      });
    }
  }
}

// Words that arrive before their typeface would move when it comes; a slow line does not wait for beauty.
const typeface = Promise.race([
  Promise.all([400, 500, 700].map((weight) => document.fonts.load(`${weight} 1rem Plex`, "ا1"))),
  new Promise((resolve) => setTimeout(resolve, 600)),
]).catch(() => null);

const [past] = await Promise.all([begin(), typeface]);
for (const item of past.items) {
  if (item.payload) {
    if (log.hear(item)) hint(item.payload.expects);
  } else if (item.content) {
    log.say(item, "sent");
    outbox.forget(item.id);
  }
}
last = Math.max(last, past.after);
for (const message of outbox.unsent) log.say(message, "sending");
log.open(!past.items.length && !outbox.unsent.length);
log.settle();
tell("connected");
document.documentElement.dataset.ready = "";
known ||= past.known;
if (known) stream.start();
// Who followed a friend's link did so on purpose and sees at once what it opens; any other start waits for the first word.
if (/^([A-Z0-9]+-)*[2-9A-HJKMNP-Z]{14}$/.test(starting())) start();
outbox.flush();
