// Small helpers for making elements. Text goes in as text and is never read as HTML.

const SVG = "http://www.w3.org/2000/svg";

export function make(tag, { className = "", text = "", ...attributes } = {}, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children.filter(Boolean));
  return element;
}

export function icon(paths, box = 24) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${box} ${box}`);
  svg.setAttribute("aria-hidden", "true");
  for (const d of paths) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

export const ICONS = {
  attach: ["M12 5v14", "M5 12h14"],
  send: ["M4 12L20 4L13 20L11 13Z"],
  reply: ["M10 7L4 12L10 17", "M4 12H14C18 12 20 15 20 18"],
  one: ["M5 13L10 18L19 7"],
  two: ["M2 13L7 18L16 7", "M11 16L13 18L22 7"],
  file: ["M7 3h7l4 4v14H7Z", "M14 3v4h4"],
  picture: ["M4 5h16v14H4Z", "M4 16l5-5 4 4 3-3 4 4"],
  video: ["M3 6h12v12H3Z", "M15 10l6-3v10l-6-3"],
  voice: ["M12 4a2 2 0 0 1 2 2v5a2 2 0 0 1-4 0V6a2 2 0 0 1 2-2Z", "M6 11a6 6 0 0 0 12 0", "M12 17v4"],
  smile: ["M12 3a9 9 0 1 0 .01 0Z", "M8 14c2 3 6 3 8 0", "M9 9v1", "M15 9v1"],
  place: ["M12 21c-5-6-7-8-7-12a7 7 0 0 1 14 0c0 4-2 6-7 12Z", "M12 7a2 2 0 1 0 .01 0Z"],
  person: ["M12 4a4 4 0 1 0 .01 0Z", "M4 20c0-9 16-9 16 0"],
  tap: ["M4 8h16v8H4Z", "M9 12h6"],
  list: ["M5 6h14", "M5 12h14", "M5 18h14"],
  forward: ["M14 7l6 5-6 5", "M20 12H10c-4 0-6 3-6 6"],
  advert: ["M4 10v4h4l8 4V6l-8 4Z", "M19 10v4"],
  unknown: ["M9 9a3 3 0 1 1 4 3c-1 .5-1 1-1 2", "M12 18v.5"],
};
