// Three patterns, not three pitches: OK one short, WARN two, STOP one long and low, again every five seconds while it stands.
// A browser gives no sound before a person has touched the page; the button says so.

const PATTERNS = {
  ok: [[0, 0.08, 1320]],
  warn: [[0, 0.12, 880], [0.2, 0.12, 880]],
  stop: [[0, 0.9, 220]],
};
const AGAIN_MS = 5000;
const FRESH_S = 5;
const VOLUME = 0.5;
const RAMP_S = 0.008;

const button = document.getElementById("sound");
const [saysOn, saysOff, saysBlocked] = document.body.dataset.sounds.split("|");
const context = new AudioContext();
let wanted = localStorage.getItem("sound") !== "off";
let seen = null;
let standing = "";

export function hear(verdict) {
  if (seen !== null && verdict.seq !== seen && verdict.age_s < FRESH_S) play(verdict.level);
  seen = verdict.seq;
  standing = verdict.level;
}

export function hearStop() {
  if (standing !== "stop") play("stop");
  standing = "stop";
}

function play(level) {
  if (!wanted || context.state !== "running" || !(level in PATTERNS)) return;
  for (const [start, length, pitch] of PATTERNS[level]) {
    const tone = new OscillatorNode(context, {type: "square", frequency: pitch});
    const gain = new GainNode(context, {gain: 0});
    const at = context.currentTime + start;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(VOLUME, at + RAMP_S);  // without a ramp the tone clicks
    gain.gain.setValueAtTime(VOLUME, at + length - RAMP_S);
    gain.gain.linearRampToValueAtTime(0, at + length);
    tone.connect(gain).connect(context.destination);
    tone.start(at);
    tone.stop(at + length);
  }
}

function label() {
  const blocked = wanted && context.state !== "running";
  button.textContent = !wanted ? saysOff : blocked ? saysBlocked : saysOn;
  button.dataset.sound = !wanted ? "off" : blocked ? "blocked" : "on";
  button.hidden = false;
}

async function wake() {
  if (wanted && context.state !== "running") await context.resume();
}

button.addEventListener("click", async () => {
  const blocked = wanted && context.state !== "running" && button.dataset.sound === "blocked";
  if (!blocked) {
    wanted = button.dataset.sound === "off";
    localStorage.setItem("sound", wanted ? "on" : "off");
  }
  await wake();
  label();
  if (wanted) play("ok");
});
document.addEventListener("pointerdown", (event) => button.contains(event.target) || wake());
document.addEventListener("keydown", wake);
context.addEventListener("statechange", label);
setInterval(() => standing === "stop" && play("stop"), AGAIN_MS);
label();
