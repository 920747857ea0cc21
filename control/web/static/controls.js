/* The player's own controls, over the picture: for mouse, touch and keyboard, and out of sight while nobody needs them. */

import { byId, element } from "./common.js";
import { toggleDanmaku } from "./danmaku.js";
import { draw } from "./icons.js";
import { keep, kept } from "./kept.js";
import { ahead } from "./pursuit.js";
import { t } from "./texts.js";

const REST = 3000; // milliseconds without a hand on them after which the controls hide
const SHOWN = 500; // milliseconds between two looks at how far behind the picture is
const STEP = 5; // seconds
const LOUDER = 0.1;
const MEGA = 10 ** 6;
const LIVE = 1; // seconds later than the player means to be that still are live

/** @typedef {NonNullable<ReturnType<typeof import("./player.js").watchStream>>} Player */

const screen = byId("screen");
const video = byId("video");
/** @type {Player | null} */
let player = null;
/** @type {number | undefined} */
let rest;
/** How the last pointer that went down touches: a finger shows and hides the controls, a mouse pauses. */
let pointer = "mouse";

/** @param {Player | null} playing what the controls are for; null: nothing plays */
export function control(playing) {
  player = playing;
  byId("controls").hidden = playing === null;
  byId("unmute").hidden = true;
  if (playing === null) byId("stats").hidden = true;
  show();
}

/** As the browser lets a page play that was not touched yet: without sound, which one button turns on. */
export function startMuted() {
  video.muted = true;
  byId("unmute").hidden = false;
}

/** Says what the buttons do now. */
function show() {
  label("play", video.paused ? "play" : "pause");
  label("mute", video.muted || video.volume === 0 ? "soundOn" : "soundOff");
  label("full", inFull() ? "leaveFull" : "full");
  byId("volume").value = String(video.muted ? 0 : Math.round(video.volume * 100));
  byId("show-stats").setAttribute("aria-expanded", String(!byId("stats").hidden));
  if (!video.muted) byId("unmute").hidden = true;
}

/**
 * @param {"play" | "mute" | "full" | "pip" | "show-stats" | "danmaku-switch"} id
 * @param {import("./icons.js").Icon} what it does
 */
function label(id, what) {
  const button = byId(id);
  if (button.dataset.does === what) return;
  button.dataset.does = what;
  button.title = t(what);
  button.setAttribute("aria-label", t(what));
  draw(button, what);
}

function showDelay() {
  if (player === null) return;
  const isLive = player.late <= LIVE && !video.paused;
  byId("to-live").classList.toggle("live", isLive);
  byId("to-live-text").textContent = t(isLive ? "live" : "toLive");
  byId("behind").textContent = seconds(player.behind);
  if (!byId("stats").hidden) showStats(player);
}

/** @param {number} number */
function seconds(number) {
  return `${number.toFixed(1)} ${t("seconds")}`;
}

/** @param {Player} of */
function showStats(of) {
  const quality = video.getVideoPlaybackQuality?.();
  /** @type {[Parameters<typeof t>[0], string][]} */
  const rows = [
    ["protocol", of.protocol],
    ["resolution", `${video.videoWidth}×${video.videoHeight}`],
    ["bitrate", of.bitrate ? `${(of.bitrate / MEGA).toFixed(2)} Mbit/s` : ""],
    ["droppedFrames", quality ? `${quality.droppedVideoFrames} / ${quality.totalVideoFrames}` : ""],
    ["buffer", seconds(ahead(video))],
    ["behindEncoder", seconds(of.behind)],
    ["speed", `${video.playbackRate}×`],
  ];
  const shown = rows.filter(([, value]) => value);
  byId("stats").replaceChildren(
    ...shown.map(([key, value]) => element("div", {}, element("dt", {}, t(key)), element("dd", {}, value))),
  );
}

function togglePlay() {
  if (video.paused) video.play().catch(() => undefined);
  else video.pause();
}

function toggleMute() {
  const isSilent = video.muted || video.volume === 0;
  setSound(!isSilent, video.volume || 0.5);
}

/**
 * @param {boolean} muted
 * @param {number} volume
 */
function setSound(muted, volume) {
  video.volume = Math.min(1, Math.max(0, volume));
  video.muted = muted;
  keep("volume", String(muted ? 0 : video.volume));
}

function toggleStats() {
  byId("stats").hidden = !byId("stats").hidden;
  showDelay();
  show();
}

function inFull() {
  return document.fullscreenElement === screen;
}

function toggleFull() {
  if (inFull()) return document.exitFullscreen();
  if (screen.requestFullscreen) return screen.requestFullscreen().catch(() => undefined);
  // An iPhone shows nothing but a video on all of its screen, with controls of its own.
  return /** @type {any} */ (video).webkitEnterFullscreen?.();
}

function togglePictureInPicture() {
  const work = document.pictureInPictureElement ? document.exitPictureInPicture() : video.requestPictureInPicture();
  work.catch(() => undefined);
}

function toLive() {
  if (player === null) return;
  player.pursuit.rests = false;
  player.toLive();
  if (video.paused) togglePlay();
}

/** @param {number} by seconds; a viewer who goes back stays there until they are live again */
function move(by) {
  if (player === null) return;
  if (by > 0 && player.late <= by) return toLive();
  player.pursuit.rests = player.pursuit.rests || by < 0;
  video.currentTime = Math.max(0, video.currentTime + by);
}

function wake() {
  screen.classList.remove("resting");
  clearTimeout(rest);
  rest = setTimeout(() => screen.classList.toggle("resting", !video.paused), REST);
}

/** @type {Record<string, () => unknown>} */
const ANYWHERE = { " ": togglePlay, m: toggleMute, f: toggleFull, d: toggleDanmaku };
/** Elsewhere these move the page. @type {Record<string, () => unknown>} */
const INSIDE = {
  ArrowUp: () => setSound(false, video.volume + LOUDER),
  ArrowDown: () => setSound(false, video.volume - LOUDER),
  ArrowLeft: () => move(-STEP),
  ArrowRight: () => move(STEP),
};

/** @param {KeyboardEvent} event */
function onKey(event) {
  const at = event.target;
  if (player === null || event.ctrlKey || event.altKey || event.metaKey || !(at instanceof HTMLElement)) return;
  const inside = screen.contains(at) || inFull();
  const isTaken = event.key === " " ? at.matches("button, a, input") : at.matches("input");
  if (isTaken || !(inside || at === document.body)) return;
  const work = ANYWHERE[event.key.toLowerCase()] ?? (inside ? INSIDE[event.key] : undefined);
  if (!work) return;
  event.preventDefault();
  wake();
  work();
}

/** @param {MouseEvent} event */
function onPicture(event) {
  if (player === null || event.target !== video) return;
  if (pointer === "mouse") return togglePlay();
  if (screen.classList.contains("resting")) wake();
  else screen.classList.add("resting");
}

function setUp() {
  video.controls = false; // those of the browser stay where this script does not run
  const volume = kept("volume");
  if (volume) {
    video.volume = Number(volume) || 1;
    video.muted = volume === "0";
  }
  label("pip", "pip");
  label("show-stats", "stats");
  label("danmaku-switch", "danmaku");
  byId("pip").hidden = !document.pictureInPictureEnabled;
  byId("full").hidden = !(document.fullscreenEnabled || "webkitEnterFullscreen" in video);
  const works = { play: togglePlay, mute: toggleMute, unmute: toggleMute, full: toggleFull, pip: togglePictureInPicture };
  for (const [id, work] of Object.entries({ ...works, "show-stats": toggleStats, "to-live": toLive })) {
    byId(id).addEventListener("click", work);
  }
  byId("volume").addEventListener("input", () => setSound(false, Number(byId("volume").value) / 100));
  for (const event of ["play", "pause", "volumechange"]) video.addEventListener(event, show);
  for (const event of ["play", "pause"]) video.addEventListener(event, wake);
  document.addEventListener("fullscreenchange", show);
  document.addEventListener("keydown", onKey);
  screen.addEventListener("pointerdown", (event) => (pointer = event.pointerType));
  screen.addEventListener("pointermove", (event) => event.pointerType === "mouse" && wake());
  screen.addEventListener("focusin", wake);
  screen.addEventListener("click", onPicture);
  byId("controls").addEventListener("click", wake);
  video.addEventListener("dblclick", () => pointer === "mouse" && toggleFull());
  setInterval(showDelay, SHOWN);
  show();
}

setUp();
