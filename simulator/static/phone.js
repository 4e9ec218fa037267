// One phone: who it belongs to, its conversation, and writing from it.

import { attachMenu } from "./attach.js";
import { bubble, day, summary } from "./bubble.js";
import { ICONS, icon, make } from "./dom.js";
import * as net from "./net.js";

const EVERY_MS = 500;
const NEAR_END_PX = 80;

export class Phone {
  constructor(index, people, address, { changed, alarm }) {
    this.root = document.getElementById("phone").content.firstElementChild.cloneNode(true);
    this.changed = changed;
    this.alarm = alarm;
    this.find(index);
    this.fillWho(people, address);
    this.listen();
    this.become(this.who.value);
  }

  find(index) {
    const one = (selector) => this.root.querySelector(selector);
    this.who = one(".who select");
    this.log = one(".conversation");
    this.input = one("textarea");
    this.quoteBar = one(".quoting");
    this.chooser = one("input[type=file]");
    this.root.dataset.testid = `phone-${index}`;
    this.root.setAttribute("aria-label", `Phone ${index + 1}`);
    const named = { who: this.who, conversation: this.log, input: this.input, send: one(".send"), attach: one(".attach") };
    for (const [name, element] of Object.entries(named)) element.dataset.testid = `${name}-${index}`;
    one(".send").append(icon(ICONS.send));
    attachMenu(one(".attach-menu"), one(".attach"), {
      send: (message, instead) => this.write({ ...message, text: this.taken() || instead }),
      choose: () => this.chooser.click(),
    });
  }

  fillWho(people, address) {
    for (const group of new Set(people.map((person) => person.group))) {
      const options = people.filter((person) => person.group === group).map((person) =>
        make("option", { value: person.address, text: `${person.name} · ${person.about}` }));
      this.who.append(make("optgroup", { label: group }, ...options));
    }
    this.who.value = address;
  }

  listen() {
    this.who.addEventListener("change", () => { this.become(this.who.value); this.changed(); });
    this.root.querySelector("form").addEventListener("submit", (event) => { event.preventDefault(); this.say(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.say();
    });
    this.input.addEventListener("input", () => this.fit());
    this.quoteBar.querySelector("button").addEventListener("click", () => this.quote(null));
    this.chooser.addEventListener("change", () => this.sendFile());
    this.stayAtEnd();
  }

  stayAtEnd() { // also when a picture arrives late, or the phone changes its size
    const keep = () => { if (this.atEnd) this.toEnd(); };
    this.log.addEventListener("scroll", () => {
      this.atEnd = this.log.scrollHeight - this.log.scrollTop - this.log.clientHeight < NEAR_END_PX;
    });
    for (const arrived of ["load", "loadedmetadata"]) this.log.addEventListener(arrived, keep, true);
    new ResizeObserver(keep).observe(this.log);
  }

  become(address) {
    this.address = address;
    this.version = 0;
    this.atEnd = true;
    this.messages = new Map();
    this.quote(null);
    this.log.replaceChildren();
    this.poll();
  }

  async poll() {
    clearTimeout(this.timer);
    const address = this.address;
    try {
      const { version, messages } = await net.messages(address, this.version);
      if (address === this.address) this.take(version, messages);
      this.alarm("");
    } catch (error) {
      this.alarm(`The simulator does not answer: ${error.message}`);
    }
    if (address === this.address) this.timer = setTimeout(() => this.poll(), EVERY_MS);
  }

  take(version, messages) {
    if (version < this.version) { // the simulator's memory is a new one
      this.messages.clear();
      this.version = 0;
      this.log.replaceChildren();
      return;
    }
    this.version = version;
    if (!messages.length) return;
    for (const message of messages) this.messages.set(message.sid, message);
    this.draw(new Set(messages.map((message) => message.sid)));
  }

  draw(fresh) {
    const old = new Map([...this.log.children].map((element) => [element.dataset.sid || element.dataset.day, element]));
    const shown = [...this.messages.values()].filter((one) => one.on_phone).sort((one, other) => one.seq - other.seq);
    const lines = [];
    let lastDay = "";
    for (const message of shown) {
      const today = day(message.at);
      if (today !== lastDay) lines.push(old.get(today) || make("li", { className: "day", text: today, "data-day": today }));
      lastDay = today;
      lines.push(fresh.has(message.sid) || !old.has(message.sid) ? this.bubble(message) : old.get(message.sid));
    }
    this.place(lines);
    if (this.atEnd) this.toEnd();
  }

  place(lines) { // moves only what changed, so that a screen reader is told of new lines and not of all
    lines.forEach((line, index) => {
      if (this.log.children[index] !== line) this.log.insertBefore(line, this.log.children[index] || null);
    });
    while (this.log.children.length > lines.length) this.log.lastElementChild.remove();
  }

  toEnd() {
    this.log.scrollTop = this.log.scrollHeight;
  }

  bubble(message) {
    const act = {
      quote: (one) => this.quote(one),
      tap: (kind, choice, one) => this.write({
        kind, choice: choice.title, choice_id: choice.id, choice_description: choice.description, quoted: one.sid,
      }),
    };
    return bubble(message, this.messages.get(message.quoted_sid), act);
  }

  quote(message) {
    this.quoted = message;
    this.quoteBar.hidden = !message;
    this.quoteBar.querySelector("p").textContent = message ? summary(message) : "";
    if (message) this.input.focus();
  }

  taken() {
    const text = this.input.value.trim();
    this.input.value = "";
    this.fit();
    return text;
  }

  fit() {
    this.input.style.height = "auto";
    this.input.style.height = `${Math.min(this.input.scrollHeight, 120)}px`;
  }

  say() {
    const text = this.taken();
    if (text) this.write({ text });
  }

  sendFile() {
    const [file] = this.chooser.files;
    this.chooser.value = "";
    if (file) this.write({ text: this.taken() }, file);
  }

  async write(message, file) {
    const whole = { from: this.address, ...message };
    if (this.quoted && !whole.quoted) whole.quoted = this.quoted.sid;
    this.quote(null);
    this.atEnd = true;
    this.toEnd();
    try {
      const sending = file ? net.writeFile(whole, file) : net.write(whole);
      setTimeout(() => this.poll(), 50);
      await sending;
      this.poll();
    } catch (error) {
      this.alarm(`Not sent: ${error.message}`);
    }
  }

  remove() {
    clearTimeout(this.timer);
    this.address = null;
    this.root.remove();
  }
}
