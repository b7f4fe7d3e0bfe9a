// What the page says, in the language it was served in, and how it writes days and times.

const data = JSON.parse(document.getElementById("data").textContent);

export const language = data.language;
export const maxText = data.maxText;

export function say(name) {
  return data.texts[name];
}

const clock = new Intl.DateTimeFormat(data.locale, { hour: "numeric", minute: "2-digit" });
const nearDay = new Intl.DateTimeFormat(data.locale, { weekday: "long", day: "numeric", month: "long" });
const farDay = new Intl.DateTimeFormat(data.locale, { day: "numeric", month: "long", year: "numeric" });

export function time(moment) {
  return clock.format(moment);
}

export function day(moment) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate());
  const ago = Math.round((midnight(new Date()) - midnight(moment)) / 86_400_000);
  if (ago === 0) return say("today");
  if (ago === 1) return say("yesterday");
  return (ago < 180 ? nearDay : farDay).format(moment);
}

// A calendar shows the traveler's own digits, which its title gives away.
export function calendarWords(title) {
  const digits = /[٠-٩]/.test(title) ? "arab" : "latn";
  const locale = `${data.language}-u-nu-${digits}`;
  const full = new Intl.DateTimeFormat(locale, {
    weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC",
  });
  const number = new Intl.NumberFormat(locale, { useGrouping: false });
  return { fullDay: (date) => full.format(date), number: (n) => number.format(n) };
}

// Sentences carry their own language: the page may be in one and the conversation in another.
export function tongue(text) {
  const arabic = /[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]/.test(text);
  return arabic ? { lang: "ar", dir: "rtl" } : { lang: "en", dir: "ltr" };
}
