// What a person does on the page. A scanner that types like a keyboard ends with Enter: Enter never presses a button here.
// An act marked as hold wants 1.2 s of pressing; letting go, leaving the button or losing contact takes it back.

const HOLD_MS = 1200;
const PATIENCE_MS = 5000;
const REPEAT_MS = 300;
const SHOWN_MS = 8000;

const answer = document.getElementById("answer");
const typing = {
  open: document.getElementById("typing-open"),
  panel: document.getElementById("typing-panel"),
  field: document.getElementById("typed"),
};
let token = document.querySelector("meta[name=token]").content;
let holding = null;
let lastPress = -REPEAT_MS;
let forget = 0;

export function setToken(value) {
  token = value;
}

export function letGo() {
  if (!holding) return;
  clearTimeout(holding.timer);
  delete holding.button.dataset.holding;
  holding = null;
}

function press(button) {
  if (button.dataset.hold !== "true") return;
  letGo();
  button.dataset.holding = "yes";
  holding = {button, timer: setTimeout(() => { letGo(); act(button, {}); }, HOLD_MS)};
}

function release(button) {
  if (button.dataset.hold === "true") return letGo();
  if (performance.now() - lastPress < REPEAT_MS) return;
  lastPress = performance.now();
  if (button === typing.open) return openTyping();
  if (button.id === "typing-close") return closeTyping();
  if (button.id === "typing-send") return send(button);
  act(button, {});
}

async function send(button) {
  if (typing.field.value === "") return typing.field.focus();
  if (await act(button, {text: typing.field.value})) closeTyping();
}

function openTyping() {
  typing.open.hidden = true;
  typing.panel.hidden = false;
  document.body.dataset.typing = "yes";
  typing.field.value = "";
  typing.field.focus();
}

function closeTyping() {
  typing.panel.hidden = true;
  typing.open.hidden = false;
  delete document.body.dataset.typing;
}

async function act(button, fields) {
  button.disabled = true;
  try {
    const response = await fetch(document.body.dataset.acts + encodeURIComponent(button.dataset.act), {
      method: "POST",
      headers: {"Content-Type": "application/json", "X-Lotline-Token": token},
      body: JSON.stringify(fields),
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const {ok, say} = await response.json();
    tell(ok, say[document.body.dataset.language], say[document.body.dataset.language === "zh" ? "en" : "zh"]);
    return ok;
  } catch {
    tell(false, document.body.dataset.unanswered, "");
    return false;
  } finally {
    button.disabled = false;
    button.blur();
  }
}

function tell(ok, first, second) {
  answer.children[0].textContent = first;
  answer.children[1].textContent = second;
  answer.dataset.ok = ok;
  answer.hidden = false;
  clearTimeout(forget);
  forget = setTimeout(() => { answer.hidden = true; }, SHOWN_MS);
}

const pressed = (event) => event.target.closest?.("button.act");

document.addEventListener("pointerdown", (event) => {
  const button = pressed(event);
  if (button && event.button === 0) press(button);
});
document.addEventListener("pointerup", (event) => {
  const button = pressed(event);
  if (holding) letGo();
  else if (button && event.button === 0 && button.dataset.hold !== "true") release(button);
});
document.addEventListener("pointercancel", letGo);
document.addEventListener("pointerout", (event) => {
  if (holding?.button.contains(event.target) && !holding.button.contains(event.relatedTarget)) letGo();
});
document.addEventListener("contextmenu", (event) => pressed(event) && event.preventDefault());
document.addEventListener("keydown", (event) => {
  const button = pressed(event);
  if (event.key === "Enter" && (button || event.target.id === "sound")) event.preventDefault();
  if (event.key === " " && button) {
    event.preventDefault();
    if (!event.repeat) press(button);
  }
  if (event.target !== typing.field || event.isComposing) return;
  if (event.key === "Enter") send(document.getElementById("typing-send"));
  if (event.key === "Escape") closeTyping();
});
document.addEventListener("keyup", (event) => {
  const button = pressed(event);
  if (event.key === " " && button) release(button);
});
