// Ages count up between messages, by the browser's monotonic clock, in the words the server chose.

const words = document.body.dataset;
const ages = new WeakMap();

export function setAge(element, seconds) {
  ages.set(element, {seconds: Number(seconds), since: performance.now()});
  write(element);
}

export function say(seconds) {
  const [text, unit] =
    seconds >= 172800 ? [words.ageD, 86400]
    : seconds >= 7200 ? [words.ageH, 3600]
    : seconds >= 120 ? [words.ageMin, 60]
    : seconds >= 2 ? [words.ageS, 1]
    : [words.ageNow, 1];
  return text.replace("{n}", Math.floor(seconds / unit));
}

function write(element) {
  const age = ages.get(element);
  if (!age) return;
  const text = say(age.seconds + (performance.now() - age.since) / 1000);
  if (element.textContent !== text) element.textContent = text;
}

setInterval(() => document.querySelectorAll("[data-age]").forEach(write), 500);

// The clock of the station's site. The browser runs on the same PC, so its time is the records' time.
const clock = document.getElementById("clock");

function tick() {
  const found = /^([+-])(\d\d):(\d\d)$/.exec(clock.dataset.offset);
  const ahead = found ? (found[1] === "-" ? -1 : 1) * (Number(found[2]) * 60 + Number(found[3])) : 0;
  const text = new Date(Date.now() + ahead * 60000).toISOString().slice(11, 19);
  if (clock.textContent !== text) clock.textContent = text;
}

tick();
setInterval(tick, 250);
