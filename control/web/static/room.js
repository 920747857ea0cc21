/* One room: its player, and what keeps somebody from watching. */

import { closeChat, enterChat, showChat, showMessage } from "./chat.js";
import { Refused, ask, byId, face, logIn, me, onSession, onSubmit, start, watch, within } from "./common.js";
import { watchStream } from "./player.js";
import { Status } from "./statuses.js";
import { t } from "./texts.js";

const id = Number(location.pathname.split("/").pop());
const video = byId("video");
/**
 * @typedef {object} Card
 * @property {string} name
 * @property {string} topic
 * @property {string} anchor
 * @property {number} headPicId
 * @property {boolean} needPassword
 * @property {string} description
 * @property {number} snapshotAt when its picture was taken, seconds since the epoch; 0: there is none
 * @property {number} followCount
 */
/** @type {Card | null} null for a room that does not exist */
let card = null;
let live = false;
let followed = false;
let password = ""; // of a private room, once it was given
/** @type {ReturnType<typeof watchStream>} */
let player = null;
/** @type {(() => void) | null} */
let unwatch = null;
let ticket = ""; // of a private room, once there is one
let attempt = 0; // counts attempts to watch; an answer to an older one is of no interest

/**
 * @param {Parameters<typeof t>[0] | null} text
 * @param {{ login?: boolean, again?: boolean, askPassword?: boolean }} offers
 */
function say(text, { login = false, again = false, askPassword = false } = {}) {
  byId("veil").hidden = text === null;
  if (text !== null) byId("message").textContent = t(text);
  byId("log-in").hidden = !login;
  byId("again").hidden = !again;
  if (byId("password").hidden === askPassword) {
    byId("password").hidden = !askPassword;
    if (askPassword) within(byId("password"), "input").focus();
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

/** @returns {Promise<Card | null>} */
async function loadCard() {
  const answer = await fetch(`/web/room/${id}`);
  if (answer.status === 404) return null;
  if (!answer.ok) throw new Error(t("failed"));
  return answer.json();
}

/** @param {Card} room */
function showCard(room) {
  document.title = `${room.name} · QPlus`;
  byId("name").textContent = room.name;
  byId("anchor").textContent = room.anchor;
  byId("topic").textContent = room.topic;
  byId("description").textContent = room.description;
  byId("face").replaceChildren(face(room.headPicId, room.anchor));
  byId("follow-count").textContent = String(room.followCount);
  byId("last").hidden = !room.snapshotAt;
  if (room.snapshotAt) byId("last").src = `/snapshot/${id}.jpg?at=${room.snapshotAt}`;
}

/** Finds out what the caller has to do to watch, and if nothing, plays. */
async function enter() {
  stop();
  if (!live) return say("waiting");
  if (!me.account) return say("loginToWatch", { login: true });
  const mine = attempt;
  try {
    const given = password ? { liveRoomUserPwd: password } : {};
    const reply = await ask("PlayLiveStream", { liveroomId: id, status: 1, ...given });
    if (mine !== attempt) return;
    const path = new URL(reply.playHlsUrl).pathname;
    play(path);
    if (card?.needPassword) follow(path.split("/")[2]);
  } catch (failure) {
    if (mine === attempt) await explain(failure);
  }
}

/** @param {unknown} failure */
async function explain(failure) {
  const status = failure instanceof Refused ? failure.status : 0;
  const wrong = status === Status.INVALID_PASSWORD_LIVEROOM;
  if (wrong || status === Status.PARAM_ERROR) {
    password = "";
    if (await banned()) return;
    say("askPassword", { askPassword: true });
    within(byId("password"), ".error").textContent = wrong ? t("wrongPassword") : "";
  } else if (status === Status.EXPIRED_SESSION) {
    say("loginToWatch", { login: true });
  } else {
    say("trouble");
    later(enter, 2000);
  }
}

/** Says so where the caller may not watch this room for a time: no password helps then. True if that is all to say. */
async function banned() {
  if (!me.account) return false;
  const mine = attempt;
  const { seconds } = await ask("GetMyBan", { liveRoomId: id }).catch(() => ({ seconds: 0 }));
  if (mine !== attempt) return true; // something newer is shown
  if (seconds) say("notLetIn", { again: true });
  return seconds > 0;
}

/**
 * @param {() => unknown} work
 * @param {number} milliseconds
 */
function later(work, milliseconds) {
  const mine = attempt;
  setTimeout(() => mine === attempt && work(), milliseconds);
}

/** @param {string} url */
function play(url) {
  say("loading");
  player = watchStream(video, url, {
    playlist: begin,
    refused: lost,
    trouble: () => say("trouble"),
    failure: () => {
      stop();
      say("noPicture", { again: true });
    },
  });
  if (player === null) say("noHls");
}

async function begin() {
  say(null);
  try {
    await video.play();
  } catch (failure) {
    if (!(failure instanceof DOMException) || failure.name !== "NotAllowedError") return;
    video.muted = true; // browsers let nothing make a sound that was not asked for; the controls turn it on
    video.play().catch(() => {});
  }
}

/** Thrown out, or the room went off air, which its events tell a moment later. */
async function lost() {
  stop();
  if (!live) return say("waiting");
  password = "";
  const mine = attempt;
  try {
    card = await loadCard();
  } catch {
    if (mine === attempt) say("trouble");
    return later(lost, 2000);
  }
  if (mine !== attempt) return;
  if (card === null) return say("roomGone");
  if (await banned()) return;
  say(card.needPassword ? "askPassword" : "thrownOut", { askPassword: card.needPassword, again: !card.needPassword });
}

/** @param {{ live: boolean, players: number }} state */
function showState(state) {
  byId("players").textContent = String(state.players);
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
  if (state.live === live && attempt > 0) return;
  live = state.live;
  if (ready) enter();
}

/**
 * Follows what becomes of the room, and its chat where one may.
 * @param {string} shown the ticket that a private room's chat asks for, or nothing
 */
function follow(shown) {
  if (unwatch && shown && shown === ticket) return;
  unwatch?.();
  ticket = shown;
  enterChat(id, shown);
  closeChat();
  const path = `/events/room/${id}${shown && `?ticket=${shown}`}`;
  unwatch = watch(path, { state: showState, chat: showChat, message: showMessage }, closeChat);
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
  showCard(card);
  ready = true;
  onSession(async () => {
    follow("");
    await showFollow();
    await enter();
  });
  follow("");
  await showFollow();
}
