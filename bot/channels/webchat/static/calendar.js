// A month to pick a day from: a grid with one tab stop, walked with the arrow keys.

import { el } from "./build.js";
import { calendarWords, language, say, tongue } from "./texts.js";

const DAY = 86_400_000;
const iso = (date) => date.toISOString().slice(0, 10);

// press(choice): {token, label, quiet} when a day or another month is chosen.
export function calendar(month, press) {
  const words = calendarWords(month.title);
  const { dir, lang } = tongue(month.title);
  const id = `month-${month.token}`;
  const first = new Date(Date.UTC(month.year, month.month - 1, 1));
  const lead = ((first.getUTCDay() + 6) % 7 - month.first_weekday + 7) % 7;
  const length = new Date(Date.UTC(month.year, month.month, 0)).getUTCDate();
  const now = new Date();
  const today = iso(new Date(Date.UTC(now.getFullYear(), now.getMonth(), now.getDate())));
  const days = [];

  const cell = (n) => {
    if (n < 1 || n > length) return el("td");
    const date = new Date(first.getTime() + (n - 1) * DAY);
    const at = iso(date);
    const open = at >= month.earliest && at <= month.latest;
    const label = words.fullDay(date);
    const button = el("button", {
      type: "button",
      "data-focus": at,
      "aria-label": label,
      "aria-disabled": open ? null : "true",
      "aria-pressed": at === month.selected ? "true" : null,
      "aria-current": at === today ? "date" : null,
      tabindex: "-1",
      onclick: () => open && press({ token: `${month.token}.${at}`, label }, button),
    }, words.number(n));
    days.push({ at, open, button });
    return el("td", {}, button);
  };

  const weeks = [];
  for (let n = 1 - lead; n <= length; n += 7) {
    weeks.push(el("tr", {}, ...Array.from({ length: 7 }, (_, i) => cell(n + i))));
  }

  const rest = days.find((day) => day.at === month.selected) ?? days.find((day) => day.open) ?? days[0];
  rest.button.tabIndex = 0;

  const turn = (to, name, shape) => {
    if (!to) return el("span", { class: "turn" });
    const button = el("button", {
      type: "button", class: "turn icon", "aria-label": to.label, title: to.label, "data-focus": name,
      onclick: () => press({ token: to.token, label: "", quiet: true }, button),
    });
    const arrow = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    arrow.setAttribute("viewBox", "0 0 24 24");
    arrow.setAttribute("aria-hidden", "true");
    arrow.append(document.createElementNS(arrow.namespaceURI, "path"));
    arrow.firstChild.setAttribute("d", shape);
    button.append(arrow);
    return button;
  };
  const previous = turn(month.previous, "previous", dir === "rtl" ? "M9 5l7 7-7 7" : "M15 5l-7 7 7 7");
  const following = turn(month.following, "following", dir === "rtl" ? "M15 5l-7 7 7 7" : "M9 5l7 7-7 7");

  const walk = (event) => {
    const here = days.findIndex((day) => day.button === event.target);
    if (here < 0) return;
    const ahead = dir === "rtl" ? -1 : 1;
    const column = (here + lead) % 7;
    const steps = {
      ArrowRight: ahead, ArrowLeft: -ahead, ArrowDown: 7, ArrowUp: -7, Home: -column, End: 6 - column,
    };
    if (event.key === "PageUp" || event.key === "PageDown") {
      const page = event.key === "PageUp" ? previous : following;
      event.preventDefault();
      if (page instanceof HTMLButtonElement) page.click();
      return;
    }
    if (!(event.key in steps)) return;
    event.preventDefault();
    const there = days[Math.min(Math.max(here + steps[event.key], 0), days.length - 1)];
    for (const day of days) day.button.tabIndex = day === there ? 0 : -1;
    there.button.focus();
  };

  return el("div", { class: "calendar", dir, lang },
    el("div", { class: "month" },
      previous,
      el("h3", { id, "aria-live": "polite" }, month.title),
      following),
    el("table", { role: "grid", "aria-labelledby": id, "aria-roledescription": say("calendar"), onkeydown: walk },
      el("thead", {}, el("tr", {},
        ...month.weekdays.map((name, i) => el("th", { scope: "col", abbr: weekday(month.first_weekday + i) }, name)))),
      el("tbody", {}, ...weeks)));
}

const names = new Intl.DateTimeFormat(language, { weekday: "long", timeZone: "UTC" });
const monday = Date.UTC(2024, 0, 1);
const weekday = (n) => names.format(new Date(monday + (n % 7) * DAY));
