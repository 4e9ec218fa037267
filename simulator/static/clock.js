// The clock of the demo: what time everybody takes it to be, and three buttons that move it on for all of them.

import * as net from "./net.js";

const LOOK_EVERY_MS = 2000;
const face = document.getElementById("clock");
const buttons = [...document.querySelectorAll("[data-minutes]")];

function show({ london, ahead_seconds }) {
  if (face.textContent !== london) face.textContent = london; // a screen reader says it when it changes, and only then
  face.classList.toggle("ahead", ahead_seconds > 0);
}

async function look() {
  if (document.visibilityState === "visible") await net.clock().then(show).catch(() => {}); // the phones say that it is away
  setTimeout(look, LOOK_EVERY_MS);
}

async function move(minutes, alarm) {
  buttons.forEach((button) => { button.disabled = true; });
  try {
    show(await net.moveClock(minutes));
    alarm("");
  } catch (error) {
    alarm(`The clock was not moved: ${error.message}`);
  } finally {
    buttons.forEach((button) => { button.disabled = false; });
  }
}

export function startClock(alarm) {
  for (const button of buttons) button.addEventListener("click", () => move(Number(button.dataset.minutes), alarm));
  look();
}
