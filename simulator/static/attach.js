// The attach menu: one entry for each kind of message that WhatsApp can bring us.

import { ICONS, icon, make } from "./dom.js";

const SCAM = "Congratulations! You have won a £500 voucher. Claim it today: https://example.org/prize";
const ENTRIES = [
  { label: "File from this computer…", icon: "file", choose: true },
  { label: "Picture", icon: "picture", message: { kind: "picture" } },
  { label: "Document", icon: "file", message: { kind: "document" } },
  { label: "Video", icon: "video", message: { kind: "video" } },
  { label: "Voice note", icon: "voice", message: { kind: "voice" } },
  { label: "Sticker", icon: "smile", message: { kind: "sticker" } },
  { label: "Location", icon: "place", message: { kind: "location" } },
  { label: "Contact card", icon: "person", message: { kind: "contact" } },
  { label: "Button tap", icon: "tap", message: { kind: "button" }, instead: "Yes" },
  { label: "List answer", icon: "list", message: { kind: "list" }, instead: "Option 1" },
  { label: "Forwarded", icon: "forward", message: { forwarded: "once" }, instead: SCAM },
  { label: "Forwarded often", icon: "forward", message: { forwarded: "often" }, instead: SCAM },
  { label: "From an advert", icon: "advert", message: { kind: "advert" }, instead: "Hello, I saw your advert" },
  { label: "Unsupported", icon: "unknown", message: { kind: "unsupported" } },
  { label: "Empty", icon: "unknown", message: { kind: "empty" } },
];

export function attachMenu(menu, toggle, { send, choose }) {
  const close = () => open(false);
  const open = (yes) => {
    menu.hidden = !yes;
    toggle.setAttribute("aria-expanded", String(yes));
    if (yes) menu.querySelector("button").focus();
  };
  menu.append(make("p", { text: "The words in the box below go with it." }), ...ENTRIES.map((entry) => line(entry, () => {
    close();
    if (entry.choose) choose();
    else send(entry.message, entry.instead || "");
  })));
  toggle.append(icon(ICONS.attach));
  toggle.addEventListener("click", () => open(menu.hidden));
  menu.addEventListener("keydown", (event) => walk(event, menu, () => { close(); toggle.focus(); }));
  document.addEventListener("click", (event) => {
    if (!menu.contains(event.target) && !toggle.contains(event.target)) close();
  });
}

function line(entry, chosen) {
  const button = make("button", { type: "button", "data-kind": kindOf(entry) }, icon(ICONS[entry.icon]), make("span", { text: entry.label }));
  button.addEventListener("click", chosen);
  return button;
}

function kindOf(entry) {
  if (entry.choose) return "file";
  return entry.message.kind || `forwarded-${entry.message.forwarded}`;
}

function walk(event, menu, leave) {
  if (event.key === "Escape") return leave();
  const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
  if (!step) return undefined;
  event.preventDefault();
  const buttons = [...menu.querySelectorAll("button")];
  const next = (buttons.indexOf(document.activeElement) + step + buttons.length) % buttons.length;
  return buttons[next].focus();
}
