// One message, from its data to its bubble.

import { breakable, el, link } from "./build.js";
import { calendar } from "./calendar.js";
import { day, say, time, tongue } from "./texts.js";

export function divider(moment) {
  return el("p", { class: "day" }, el("span", {}, day(moment)));
}

// What the traveler said. `status` is filled in by the log.
export function mine(content, moment) {
  const words = {
    text: () => content.text,
    press: () => content.label,
    command: () => `/${content.name}${content.argument ? ` ${content.argument}` : ""}`,
    location: () => content.name || say("my_location"),
  }[content.type]?.();
  if (!words) return null;
  return el("article", { class: "message mine", "data-kind": content.type },
    el("span", { class: "hidden" }, `${say("you")}: `),
    el("div", { class: "bubble" }, el("p", { class: "words", dir: "auto", lang: tongue(words).lang }, breakable(words))),
    el("p", { class: "meta" }, stamp(moment), el("span", { class: "status" })));
}

// What we said. press(choice, button) sends what a button means; enlarge(picture) opens a picture.
export function theirs(payload, moment, press, enlarge) {
  const rich = payload.picture || payload.calendar || payload.menu || payload.place;
  return el("article", { class: "message theirs" },
    el("span", { class: "hidden" }, `${say("bot")}: `),
    payload.text || rich ? el("div", { class: rich ? "bubble rich" : "bubble" },
      payload.picture ? picture(payload.picture, enlarge) : null,
      payload.text ? sentences(payload.text, Boolean(payload.picture)) : null,
      payload.place ? place(payload.place) : null,
      payload.calendar ? calendar(payload.calendar, press) : null,
      payload.menu ? menu(payload.menu, press) : null) : null,
    payload.cards ? cards(payload.cards, press, enlarge) : null,
    payload.buttons ? el("div", { class: "choices", dir: tongue(payload.buttons[0][0].label).dir },
      ...payload.buttons.map((row) => el("div", { class: "row" }, ...row.map((button) => choice(button, press))))) : null,
    el("p", { class: "meta" }, stamp(moment)));
}

export function typing() {
  return el("div", { class: "message theirs typing" },
    el("div", { class: "bubble" },
      el("span", { class: "hidden" }, say("typing")),
      el("span", { class: "dots", "aria-hidden": "true" }, el("i"), el("i"), el("i"))));
}

function stamp(moment) {
  return el("time", { datetime: moment.toISOString() }, time(moment));
}

// Under a picture the first line is a title, and «السعر: …» a line with its name.
function sentences(text, titled) {
  const { dir, lang } = tongue(text);
  if (!titled) return el("p", { class: "words", dir, lang }, breakable(text));
  const [title, ...lines] = text.split("\n");
  return el("div", { class: "facts", dir, lang }, el("h3", {}, title), ...lines.filter(Boolean).map(fact));
}

function fact(line) {
  const at = line.indexOf(": ");
  if (at < 1 || at > 24) return el("p", {}, line);
  return el("p", {}, el("span", { class: "name" }, line.slice(0, at + 1)), line.slice(at + 1));
}

function cards(list, press, enlarge) {
  return el("ul", { class: "cards", "aria-label": say("options"), tabindex: "0" }, ...list.map((card) => {
    const { dir, lang } = tongue(card.title + card.lines.join());
    return el("li", { class: "card", dir, lang },
      card.picture ? picture(card.picture, enlarge) : null,
      el("div", { class: "facts" }, el("h3", {}, card.title), ...card.lines.map(fact)),
      card.buttons.length ? el("div", { class: "choices" }, ...card.buttons.map((button) => choice(button, press))) : null);
  }));
}

// The room is kept before the picture arrives: nothing moves when it does.
function picture({ url, alt }, enlarge) {
  const words = alt || say("photo_alt");
  const source = link(url);
  const failed = () => frame.replaceWith(el("p", { class: "no-picture" }, say("photo_failed")));
  const frame = el("button", { type: "button", class: "picture", onclick: () => enlarge({ url: source, alt: words }, frame) });
  if (!source) return el("p", { class: "no-picture" }, say("photo_failed"));
  frame.append(el("img", {
    src: source, alt: words, width: "960", height: "640", loading: "lazy", decoding: "async",
    referrerpolicy: "no-referrer", onerror: failed,
  }));
  return frame;
}

function place({ title, address, url }) {
  return el("div", { class: "place", ...tongue(title + address) },
    el("p", {}, el("strong", {}, title), address ? el("span", {}, address) : null),
    el("a", { class: "choice", href: link(url), target: "_blank", rel: "noopener noreferrer" }, say("place")));
}

function menu({ opener, rows }, press) {
  return el("div", { class: "menu" },
    el("h3", { ...tongue(opener) }, opener),
    el("ul", { "aria-label": opener }, ...rows.map((row) => {
      const button = el("button", {
        type: "button", ...tongue(row.title + row.description), "data-focus": row.title,
        onclick: () => press({ token: row.token, label: row.title }, button),
      }, el("strong", {}, row.title), row.description ? el("span", {}, row.description) : null);
      return el("li", {}, button);
    })));
}

function choice({ label, token, url }, press) {
  const words = tongue(label);
  const target = url && link(url);
  if (target) return el("a", { class: "choice", href: target, target: "_blank", rel: "noopener noreferrer", ...words }, label);
  const button = el("button", {
    type: "button", class: "choice", "data-focus": label, ...words, onclick: () => press({ token, label }, button),
  }, label);
  return button;
}
