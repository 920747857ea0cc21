/* One room: its player, and what keeps somebody from watching. */

import { ask, byId, element, face, logIn, me, onSession, onSubmit, start, watch } from "./common.js";
import { t } from "./texts.js";

const id = Number(location.pathname.split("/").pop());
const video = byId("video");
let card = null;
let live = false;
let followed = false;
let password = ""; // of a private room, once it was given
let player = null;
let attempt = 0; // counts attempts to watch; an answer to an older one is of no interest

function say(text, { logIn = false, again = false, askPassword = false } = {}) {
  byId("veil").hidden = text === null;
  if (text !== null) byId("message").textContent = t(text);
  byId("log-in").hidden = !logIn;
  byId("again").hidden = !again;
  if (byId("password").hidden === askPassword) {
    byId("password").hidden = !askPassword;
    if (askPassword) byId("password").querySelector("input").focus();
  }
}

function stop() {
  attempt += 1;
  player?.destroy();
  player = null;
  video.pause();
  video.removeAttribute("src");
  video.load();
}

async function loadCard() {
  const answer = await fetch(`/web/room/${id}`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(t("failed"));
  return answer.json();
}

function showCard() {
  document.title = `${card.name} · QPlus`;
  byId("name").textContent = card.name;
  byId("anchor").textContent = card.anchor;
  byId("topic").textContent = card.topic;
  byId("description").textContent = card.description;
  byId("face").replaceChildren(face(card.headPicId, card.anchor));
  byId("follow-count").textContent = card.followCount;
}

/** Finds out what the caller has to do to watch, and if nothing, plays. */
async function enter() {
  stop();
  if (!live) return say("waiting");
  if (!me.account) return say("loginToWatch", { logIn: true });
  const mine = attempt;
  try {
    const fields = { liveroomId: id, status: 1 };
    if (password) fields.liveRoomUserPwd = password;
    const reply = await ask("PlayLiveStream", fields);
    if (mine === attempt) play(new URL(reply.playHlsUrl).pathname);
  } catch (failure) {
    if (mine === attempt) await explain(failure);
  }
}

async function explain(failure) {
  const wrong = failure.status === 10204;
  if (wrong || failure.status === 10002) {
    password = "";
    say("askPassword", { askPassword: true });
    byId("password").querySelector(".error").textContent = wrong ? t("wrongPassword") : "";
  } else if (failure.status === 10003) {
    say("loginToWatch", { logIn: true });
  } else {
    say("trouble");
    later(enter, 2000);
  }
}

function later(work, milliseconds) {
  const mine = attempt;
  setTimeout(() => mine === attempt && work(), milliseconds);
}

function play(url) {
  if (window.Hls?.isSupported()) return playWithHls(url);
  if (!video.canPlayType("application/vnd.apple.mpegurl")) return say("noHls");
  video.src = url;
  video.onerror = () => later(lost, 1000);
  begin();
}

function playWithHls(url) {
  // The page allows no workers from blobs, and a live playlist of a second's fragments is little work.
  player = new window.Hls({ enableWorker: false, liveSyncDurationCount: 2, liveMaxLatencyDurationCount: 8 });
  player.on(window.Hls.Events.MANIFEST_PARSED, begin);
  player.on(window.Hls.Events.ERROR, (_, error) => {
    if (error.response?.code === 403) return lost();
    if (!error.fatal) return;
    if (error.type === window.Hls.ErrorTypes.MEDIA_ERROR) return player.recoverMediaError();
    // Just gone live: the first fragment is still being written.
    later(enter, 500);
  });
  player.loadSource(url);
  player.attachMedia(video);
}

async function begin() {
  say(null);
  try {
    await video.play();
  } catch (failure) {
    if (failure.name !== "NotAllowedError") return;
    video.muted = true; // browsers let nothing make a sound that was not asked for; the controls turn it on
    video.play().catch(() => {});
  }
}

/** Thrown out, or the room went off air, which its events tell a moment later. */
async function lost() {
  stop();
  if (!live) return say("waiting");
  password = "";
  try {
    card = await loadCard();
  } catch {
    say("trouble");
    return later(lost, 2000);
  }
  if (card === null) return say("roomGone");
  say(card.needPassword ? "askPassword" : "thrownOut", { askPassword: card.needPassword, again: !card.needPassword });
}

function showState(state) {
  byId("players").textContent = state.players;
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
  if (state.live === live && attempt > 0) return;
  live = state.live;
  if (ready) enter();
}

async function showFollow() {
  if (!me.account) {
    followed = false;
  } else {
    const room = await ask("SearchLiveStream", { keyword: id });
    followed = room.isFollow === 1;
    byId("follow-count").textContent = room.followCount;
  }
  byId("follow").textContent = t(followed ? "unfollow" : "follow");
  byId("follow").setAttribute("aria-pressed", String(followed));
}

byId("follow").addEventListener("click", async () => {
  if (!me.account) return logIn();
  await ask("FollowLiveRoom", { liveRoomId: id, isFollow: followed ? 0 : 1 });
  await showFollow();
});
byId("log-in").addEventListener("click", logIn);
byId("again").addEventListener("click", enter);
onSubmit(byId("password"), async (fields) => {
  password = fields.password;
  await enter();
});

let ready = false;
card = await loadCard();
await start();
if (card === null) {
  say("roomGone");
} else {
  showCard();
  ready = true;
  onSession(async () => {
    await showFollow();
    await enter();
  });
  await showFollow();
  watch(`/events/room/${id}`, { state: showState });
}
