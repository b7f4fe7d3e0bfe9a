// Elements from data. Text only ever becomes text nodes: nothing that anybody wrote is read as markup.

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

// A text with places to break inside what no line can hold: a browser needs seconds to find them in 10,000 joined letters.
export function breakable(text) {
  const pieces = document.createDocumentFragment();
  for (const piece of text.split(/(\S{40})/u)) {
    if (piece) pieces.append(piece);
    if (/^\S{40}$/u.test(piece)) pieces.append(document.createElement("wbr"));
  }
  return pieces;
}

// Only what a hotel's page or a map can be; never javascript:.
export function link(url) {
  try {
    const parsed = new URL(url, location.href);
    return ["https:", "http:", "tel:", "mailto:"].includes(parsed.protocol) ? parsed.href : null;
  } catch {
    return null;
  }
}
