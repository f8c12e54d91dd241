// The operator's page: each message is the whole screen, and the page shows it.

import {letGo, setToken} from "./acts.js";
import {say} from "./age.js";
import {fill} from "./fill.js";
import {hear, hearStop} from "./sound.js";
import {follow} from "./stream.js";

const page = document.getElementById("page");
const cover = document.getElementById("lost");
const since = document.getElementById("lost-since");

function show({build, token, screen}) {
  if (build !== document.body.dataset.build) return location.reload();  // the program was updated: its markup is another
  setToken(token);
  fill(page, screen);
  if (screen.face === "storage") hearStop();
  else hear(screen.verdict);
}

function lost(seconds) {
  if (seconds !== null) {
    letGo();
    since.textContent = say(seconds);
  }
  cover.hidden = seconds === null;
  page.inert = seconds !== null;
}

follow(document.body.dataset.stream, show, lost);
