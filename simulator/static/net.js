// Every call of the page to the simulator, so that one place knows its addresses.

async function call(path, options) {
  const answer = await fetch(path, options);
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error || body.message || `HTTP ${answer.status}`);
  return body;
}

export function people() {
  return call("simulator/people");
}

export function messages(phone, since) {
  const open = document.visibilityState === "visible" ? "1" : "0";
  return call(`simulator/messages?${new URLSearchParams({ phone, since, open })}`);
}

export function write(message) {
  const headers = { "Content-Type": "application/json" };
  return call("simulator/inbound", { method: "POST", headers, body: JSON.stringify(message) });
}

export function writeFile(message, file) {
  const form = new FormData();
  for (const [name, value] of Object.entries(message)) form.append(name, value);
  form.append("file", file);
  return call("simulator/inbound", { method: "POST", body: form });
}

export function clock() {
  return call("simulator/clock");
}

export function moveClock(minutes) {
  const headers = { "Content-Type": "application/json" };
  return call("simulator/clock", { method: "POST", headers, body: JSON.stringify({ forward_minutes: minutes }) });
}
