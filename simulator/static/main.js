// The page: how many phones there are and who they belong to, remembered in this browser.

import { startClock } from "./clock.js";
import * as net from "./net.js";
import { Phone } from "./phone.js";

const MEMORY = "e4a-phones";
const MOST = 4;
const place = document.getElementById("phones");
const howMany = document.getElementById("how-many");
const alarmLine = document.getElementById("alarm");
let phones = [];

function alarm(text) {
  alarmLine.textContent = text;
  alarmLine.hidden = !text;
}

function remembered() {
  try {
    return JSON.parse(localStorage.getItem(MEMORY)) || [];
  } catch {
    return [];
  }
}

function remember() {
  localStorage.setItem(MEMORY, JSON.stringify(phones.map((phone) => phone.address)));
}

function firstChoice(people) {
  const of = (group) => people.filter((person) => person.group === group);
  const wanted = [of("Learners")[0], of("Strangers")[0], of("Staff")[0], of("Learners")[1]].filter(Boolean);
  return [...new Set([...wanted, ...people])].slice(0, MOST).map((person) => person.address);
}

function show(people, addresses) {
  for (const phone of phones) phone.remove();
  phones = addresses.map((address, index) => new Phone(index, people, address, { changed: remember, alarm }));
  place.replaceChildren(...phones.map((phone) => phone.root));
  place.dataset.count = String(addresses.length);
}

async function start() {
  const { people } = await net.people();
  const known = new Set(people.map((person) => person.address));
  const before = remembered().filter((address) => known.has(address)).slice(0, MOST);
  const first = firstChoice(people);
  const now = before.length ? before : first.slice(0, 2);
  howMany.value = String(now.length);
  show(people, now);
  howMany.addEventListener("change", () => {
    const kept = phones.map((phone) => phone.address);
    const more = first.filter((address) => !kept.includes(address));
    show(people, [...kept, ...more, ...first].slice(0, Number(howMany.value)));
    remember();
  });
}

startClock(alarm);
start().catch((error) => alarm(`The simulator does not answer: ${error.message}`));
