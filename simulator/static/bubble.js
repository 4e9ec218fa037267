// One message as a bubble: what it says, what hangs on it, and how far it got.

import { ICONS, icon, make } from "./dom.js";

const CLOCK = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "Europe/London" });
const DAY = new Intl.DateTimeFormat("en-GB", { weekday: "long", day: "numeric", month: "long", timeZone: "Europe/London" });
const LINK = /(https?:\/\/[^\s<>"]+[^\s<>".,;:!?)])/;
const FORWARDED = { once: "Forwarded", often: "Forwarded many times" };
const SHORT = {
  picture: "Picture", document: "Document", video: "Video", voice: "Voice note", sticker: "Sticker", location: "Location",
  contact: "Contact card", unsupported: "Unsupported message", empty: "Empty message",
};

export function day(at) {
  return DAY.format(new Date(at));
}

export function summary(message) {
  return message.text || SHORT[message.kind] || (message.file ? "File" : "Message");
}

export function bubble(message, quoted, act) {
  const side = message.mine ? "bubble-out" : "bubble-in";
  const element = make("li", { className: `bubble ${side}`, "data-sid": message.sid, "data-kind": message.kind });
  element.append(
    make("span", { className: "unseen", text: message.mine ? "You:" : "Enterprise4all:" }),
    ...head(message, quoted),
    ...body(message),
    foot(message),
    ...failure(message),
    ...choices(message, act),
    replyButton(message, act),
  );
  element.addEventListener("click", (event) => {
    if (!event.target.closest("a, button, video, audio") && !getSelection().toString()) act.quote(message);
  });
  return element;
}

function head(message, quoted) {
  const parts = [];
  if (message.forwarded) parts.push(make("p", { className: "hint", text: FORWARDED[message.forwarded] }));
  if (message.mine && message.kind === "advert") parts.push(make("p", { className: "hint", text: `From the advert: ${message.note}` }));
  if (message.quoted_sid) {
    const text = quoted ? summary(quoted) : "An earlier message";
    const by = quoted && quoted.mine ? "You" : "Enterprise4all";
    parts.push(make("blockquote", {}, make("strong", { text: by }), make("span", { text, dir: "auto" })));
  }
  return parts;
}

function body(message) {
  const parts = [];
  if (message.file) parts.push(attachment(message));
  if (message.place) parts.push(make("div", { className: "place" }, icon(ICONS.place), make("p", { text: message.place })));
  if (message.text) parts.push(make("p", { className: "text", dir: "auto" }, ...linked(message.text)));
  else if (!message.file && !message.place) parts.push(make("p", { className: "hint", text: SHORT[message.kind] || "No text" }));
  if (message.note && !message.mine) parts.push(make("p", { className: "text" }, ...linked(message.note)));
  return parts;
}

function linked(text) {
  return text.split(LINK).map((part, index) =>
    index % 2 ? make("a", { href: part, text: part, target: "_blank", rel: "noopener noreferrer" }) : part);
}

function attachment(message) {
  const { url, type } = message.file;
  const family = type.split("/")[0];
  if (["image/jpeg", "image/png", "image/webp"].includes(type)) {
    return make("img", { className: message.kind === "sticker" ? "sticker" : "picture", src: url, alt: SHORT[message.kind] || "Picture" });
  }
  if (family === "video" || family === "audio") {
    return make(family, { src: url, controls: "", preload: "metadata", "aria-label": SHORT[message.kind] || "File" });
  }
  const name = SHORT[message.kind] || "File";
  const link = make("a", { href: url, download: "", text: `${name} (${type.split("/")[1]})` });
  return make("div", { className: "file" }, icon(message.kind === "contact" ? ICONS.person : ICONS.file), link);
}

function foot(message) {
  const time = make("time", { datetime: message.at, text: CLOCK.format(new Date(message.at)) });
  return make("span", { className: "foot" }, time, ticks(message));
}

function ticks(message) {
  const arrived = message.mine ? message.answer >= 200 && message.answer < 300 : true;
  const read = message.status === "read";
  const words = read ? "Read" : arrived ? "Delivered" : "Sent";
  return make("span", { className: `ticks${read ? " read" : ""}`, role: "img", "aria-label": words, title: words },
    icon(arrived ? ICONS.two : ICONS.one));
}

function failure(message) {
  if (!message.mine || message.answer === null || (message.answer >= 200 && message.answer < 300)) return [];
  const why = message.answer ? `HTTP ${message.answer}` : "no answer";
  return [make("p", { className: "failure", text: `not delivered to the assistant (${why})` })];
}

function choices(message, act) {
  const parts = message.buttons.map((choice) => tapButton(choice, () => act.tap("button", choice, message)));
  if (message.items.length) {
    const lines = message.items.map((choice) => tapButton(choice, () => act.tap("list", choice, message)));
    parts.push(make("details", { className: "list" }, make("summary", { text: message.items_label || "Choose" }), ...lines));
  }
  return parts.length ? [make("div", { className: "choices" }, ...parts)] : [];
}

function tapButton(choice, tapped) {
  const button = make("button", { type: "button", className: "choice" }, make("span", { text: choice.title, dir: "auto" }));
  if (choice.description) button.append(make("small", { text: choice.description, dir: "auto" }));
  button.addEventListener("click", tapped);
  return button;
}

function replyButton(message, act) {
  const button = make("button", { type: "button", className: "reply", "aria-label": `Quote: ${summary(message).slice(0, 40)}` }, icon(ICONS.reply));
  button.addEventListener("click", () => act.quote(message));
  return button;
}
