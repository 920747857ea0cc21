/* Rooms as tiles: a picture of each, and what there is to know of it. */

import { element, face } from "./common.js";
import { t } from "./texts.js";
import { duration } from "./times.js";

/**
 * @typedef {object} Card what a visitor sees of a room
 * @property {number} id
 * @property {string} name
 * @property {string} topic
 * @property {string} anchor
 * @property {number} headPicId
 * @property {boolean} needPassword
 * @property {boolean} isPublic one may watch without an account
 * @property {boolean} live
 * @property {number} [since] when it went on air, seconds since the epoch
 * @property {string} [snapshot] address of its picture
 */

/**
 * One tile, and its parts that change.
 * @typedef {object} Tile
 * @property {HTMLElement} item
 * @property {(players: number) => void} showPlayers
 * @property {(address: string) => void} showPicture
 * @property {() => void} showTime
 */

/**
 * @param {Card} room
 * @returns {Tile}
 */
export function tile(room) {
  const players = element("span", { className: "onshot players" });
  const time = element("span", { className: "onshot time" });
  const picture = element("img", { alt: "", width: 640, height: 360, loading: "lazy", hidden: true });
  const state = element("span", { className: room.live ? "badge live" : "badge" }, t(room.live ? "live" : "offAir"));
  const badges = room.needPassword ? [state, element("span", { className: "badge" }, t("private"))] : [state];
  const shot = element("span", { className: "shot" }, picture, element("span", { className: "badges" }, ...badges), players, time);
  const link = element(
    "a",
    { href: `/room/${room.id}` },
    shot,
    face(room.headPicId, room.anchor),
    element("strong", {}, room.name),
    element("span", { className: "soft" }, ...anchorAndTopic(room)),
  );
  const made = {
    item: element("li", {}, link),
    /** @param {number} number */
    showPlayers(number) {
      players.textContent = `${number} ${t("watching")}`;
    },
    /** @param {string} address */
    showPicture(address) {
      picture.hidden = !address;
      if (address) picture.src = address;
    },
    showTime() {
      time.textContent = room.live && room.since ? duration(Date.now() / 1000 - room.since) : "";
    },
  };
  if (room.snapshot) made.showPicture(room.snapshot);
  made.showTime();
  return made;
}

/**
 * Each apart: people may write what turns the direction of what stands beside it.
 * @param {Card} room
 */
export function anchorAndTopic(room) {
  const anchor = element("bdi", {}, room.anchor);
  return room.topic ? [anchor, " · ", element("bdi", {}, room.topic)] : [anchor];
}

/**
 * A room as the APIs have it.
 * @param {any} room
 * @returns {Card}
 */
export function cardOf(room) {
  return {
    id: room.liveRoomId,
    name: room.liveRoomName,
    topic: room.liveRoomTopic,
    anchor: room.anchorName,
    headPicId: room.headPicId,
    needPassword: room.needPassword === 1,
    isPublic: room.isPublic === 1,
    live: room.isPlay === 1,
    snapshot: room.snapshotUrl && new URL(room.snapshotUrl).pathname + new URL(room.snapshotUrl).search,
  };
}
