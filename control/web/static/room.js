/* One room: its player, and what keeps somebody from watching. */

import { enterAbout, showCard, showFollow, showNothing, showNumbers, showPast } from "./about.js";
import { closeChat, enterChat, showChat, showMessage } from "./chat.js";
import { Refused, ask, byId, logIn, me, onSession, onSubmit, start, watch, within } from "./common.js";
import { control, startMuted } from "./controls.js";
import { fly, ground } from "./danmaku.js";
import { playAsGuest } from "./guest.js";
import { watchStream } from "./player.js";
import { enterShare } from "./share.js";
import { Status } from "./statuses.js";
import { t } from "./texts.js";

const id = Number(location.pathname.split("/").pop());
const video = byId("video");
const LATE = 3000; // milliseconds after which the page is shown whatever it knows
const OLD = 3_600_000; // milliseconds, after which a guest's ticket may have ended by itself
/** @typedef {import("./about.js").Card} Card */
/** @type {Card | null} null for a room that does not exist */
let card = null;
let live = false;
let password = ""; // of a private room, once it was given
/** @type {ReturnType<typeof watchStream>} */
let player = null;
/** @type {(() => void) | null} */
let unwatch = null;
let ticket = ""; // of a private room, once there is one
let asked = 0; // when this page was let in last, milliseconds since the epoch
let attempt = 0; // counts attempts to watch; an answer to an older one is of no interest

/**
 * @param {Parameters<typeof t>[0] | null} text
 * @param {{ login?: boolean, again?: boolean, askPassword?: boolean }} offers
 */
function say(text, { login = false, again = false, askPassword = false } = {}) {
  byId("veil").hidden = text === null;
  if (text !== null) byId("message").textContent = t(text);
  byId("off-air").hidden = true;
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
  control(null);
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

/** Until it is on air; its past is told anew, of which there is more where it has just ended. */
async function wait() {
  say("waiting");
  byId("off-air").hidden = false;
  const mine = attempt;
  const room = await loadCard().catch(() => null);
  if (mine !== attempt) return;
  if (room) showCard(room);
  await showPast(ticket);
}

/** Finds out what the caller has to do to watch, and if nothing, plays. */
async function enter() {
  stop();
  if (!live) return wait();
  if (!mayAsk()) return say("loginToWatch", { login: true });
  const mine = attempt;
  try {
    const reply = await askToPlay();
    if (mine !== attempt) return;
    asked = Date.now();
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
  if (!me.account && wrong) {
    say("guestOut", { login: true });
  } else if (!me.account && status === Status.PARAM_ERROR) {
    say("manyGuests", { login: true });
  } else if (wrong || status === Status.PARAM_ERROR) {
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
  else control(player);
}

async function begin() {
  say(null);
  try {
    await video.play();
  } catch (failure) {
    if (!(failure instanceof DOMException) || failure.name !== "NotAllowedError") return;
    startMuted();
    video.play().catch(() => {});
  }
}

/** Thrown out, or the room went off air, which its events tell a moment later. */
async function lost() {
  stop();
  if (!live) return wait();
  password = "";
  const mine = attempt;
  try {
    card = await loadCard();
  } catch {
    if (mine === attempt) say("trouble");
    return later(lost, 2000);
  }
  if (mine !== attempt) return;
  if (card === null) return showNothing();
  if (!me.account && !mayAsk()) return say("loginToWatch", { login: true });
  if (!me.account && Date.now() - asked > OLD) return enter(); // a guest's ticket has ended
  if (await banned()) return;
  say(card.needPassword ? "gonePrivate" : "thrownOut", { askPassword: card.needPassword, again: !card.needPassword });
}

/** @param {{ live: boolean, players: number }} state */
function showState(state) {
  showNumbers(state);
  if (state.live === live && attempt > 0) return;
  live = state.live;
  if (ready) enter();
}

/**
 * Follows what becomes of the room, and its chat where one may.
 * @param {string} shown the ticket that a private room's chat asks for, or nothing
 */
async function follow(shown) {
  if (unwatch && shown && shown === ticket) return;
  unwatch?.();
  ticket = shown;
  enterChat(id, shown);
  closeChat();
  const path = `/events/room/${id}${shown && `?ticket=${shown}`}`;
  unwatch = watch(path, { state: showState, chat: showChat, message: told }, closeChat);
  await showPast(shown);
}

/** Where one needs no account, the owner has said so. */
function mayAsk() {
  return me.account !== "" || card?.isPublic;
}

/** @param {import("./chat.js").Message} message new, or deleted */
function told(message) {
  showMessage(message);
  if (message.deleted) ground(message.number);
  else fly(message.number, message.text);
}

/** What other players take, for somebody who may watch. */
async function addresses() {
  return mayAsk() ? askToPlay() : null;
}

function askToPlay() {
  if (!me.account) return playAsGuest(id);
  const given = password ? { liveRoomUserPwd: password } : {};
  return ask("PlayLiveStream", { liveroomId: id, status: 1, ...given });
}

byId("log-in").addEventListener("click", logIn);
byId("again").addEventListener("click", enter);
onSubmit(byId("password"), async (fields) => {
  password = fields.password;
  await enter();
});

/** At once, when what is in it is there: so nothing moves. */
function showPage() {
  byId("content").classList.remove("waits");
}

let ready = false;
setTimeout(showPage, LATE);
card = await loadCard();
await start();
if (card === null) {
  showNothing();
} else {
  enterAbout(id);
  enterShare(id, addresses);
  showCard(card);
  ready = true;
  onSession(async () => {
    follow("");
    await showFollow();
    await enter();
  });
  await Promise.all([follow(""), showFollow()]);
}
showPage();
