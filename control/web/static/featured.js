/* One room large above the others: the most watched that the visitor may watch as it is, without sound, on a wide screen.
   It counts them as a viewer, and so it stops wherever nobody looks. */

import { ask, byId, face, me } from "./common.js";
import { playAsGuest } from "./guest.js";
import { draw } from "./icons.js";
import { keep, kept } from "./kept.js";
import { watchStream } from "./player.js";
import { t } from "./texts.js";
import { anchorAndTopic } from "./tiles.js";

/** @typedef {import("./tiles.js").Card} Card */

const wide = matchMedia("(min-width: 60rem)");
const still = matchMedia("(prefers-reduced-motion: reduce)");
const HLS = "/static/vendor/hls.light.min.js"; // much larger than the rest of the page: for who gets to see something

/** @type {Card[]} */
let rooms = [];
/** Viewers by room; null: not known yet. @type {Record<string, number> | null} */
let players = null;
/** @type {Card | null} */
let shown = null;
/** Rooms that would not play. @type {Set<number>} */
const failed = new Set();
/** @type {ReturnType<typeof watchStream>} */
let player = null;
/** @type {Record<string, number>} */
let pictures = {};
let attempt = 0; // counts them; what comes of an older one is of no interest
let paused = kept("featured") === "0" || still.matches;
/** @type {Promise<void> | undefined} */
let library;

/** @param {Card[]} live the rooms on air */
export function feature(live) {
  rooms = live;
  choose();
}

/** @param {Record<string, number>} counts viewers by room */
export function countFeatured(counts) {
  const isFirst = players === null;
  players = counts;
  if (isFirst) choose();
  if (shown) byId("featured-players").textContent = watching(shown);
}

/** @param {Record<string, number>} taken when each room's picture was */
export function pictureFeatured(taken) {
  pictures = taken;
  if (shown) showPicture(shown);
}

/** @param {Card} room */
function showPicture(room) {
  const at = pictures[room.id];
  const video = byId("featured-video");
  // Of one that plays nobody sees it.
  if (at && (player === null || !video.poster)) video.poster = `/snapshot/${room.id}.jpg?at=${at}`;
}

/** @param {Card} room */
function viewers(room) {
  return players?.[room.id] ?? 0;
}

/** @param {Card} room */
function watching(room) {
  return `${viewers(room)} ${t("watching")}`;
}

/** The one that is shown stays as long as it can be. */
export function choose() {
  if (players === null) return;
  const offered = wide.matches ? rooms.filter((room) => mayWatch(room) && !failed.has(room.id)) : [];
  const most = Math.max(...offered.map(viewers));
  const now = offered.find((room) => room.id === shown?.id) ?? offered.find((room) => viewers(room) === most);
  const isOther = now?.id !== shown?.id;
  shown = now ?? null;
  byId("featured").hidden = shown === null;
  if (shown) show(shown);
  if (isOther) restart();
}

/** @param {Card} room */
function mayWatch(room) {
  return !room.needPassword && (me.account !== "" || room.isPublic);
}

/** @param {Card} room */
function show(room) {
  byId("featured-name").textContent = room.name;
  byId("featured-anchor").replaceChildren(...anchorAndTopic(room));
  byId("featured-face").replaceChildren(face(room.headPicId, room.anchor));
  byId("featured-players").textContent = watching(room);
  for (const link of [byId("featured-picture"), byId("featured-link")]) link.href = `/room/${room.id}`;
  const does = paused ? "playPicture" : "pausePicture";
  byId("featured-pause").setAttribute("aria-label", `${t(does)}: ${room.name}`);
  draw(byId("featured-pause"), paused ? "play" : "pause");
}

function stop() {
  attempt += 1;
  player?.destroy();
  player = null;
  byId("featured-video").removeAttribute("src");
  byId("featured-video").load();
}

async function restart() {
  stop();
  if (shown === null) return;
  const room = shown;
  const mine = attempt;
  byId("featured-video").removeAttribute("poster");
  showPicture(room);
  if (paused || document.hidden) return;
  try {
    library ??= load();
    const [reply] = await Promise.all([askToPlay(room.id), library]);
    if (mine === attempt) play(room, new URL(reply.playHlsUrl).pathname);
  } catch {
    if (mine === attempt) giveUp(room);
  }
}

/** @returns {Promise<void>} also where it cannot be had: a browser may play without it */
function load() {
  return new Promise((done) => {
    const script = document.createElement("script");
    script.addEventListener("load", () => done());
    script.addEventListener("error", () => done());
    script.src = HLS;
    document.head.append(script);
  });
}

/** @param {number} id */
function askToPlay(id) {
  return me.account ? ask("PlayLiveStream", { liveroomId: id, status: 1 }) : playAsGuest(id);
}

/**
 * @param {Card} room
 * @param {string} url
 */
function play(room, url) {
  const video = byId("featured-video");
  video.muted = true;
  player = watchStream(video, url, {
    playlist: () => void video.play().catch(() => undefined),
    refused: () => giveUp(room),
    trouble: () => undefined,
    failure: () => giveUp(room),
  });
  if (player === null) giveUp(room);
}

/** @param {Card} room */
function giveUp(room) {
  failed.add(room.id);
  choose();
}

byId("featured-pause").addEventListener("click", () => {
  paused = !paused;
  keep("featured", paused ? "0" : "1");
  if (shown) show(shown);
  restart();
});
document.addEventListener("visibilitychange", restart);
wide.addEventListener("change", choose);
