/* What stands under the player: the room, its anchor, following, and the broadcasts there were. */

import { ask, byId, element, face, logIn, me } from "./common.js";
import { t } from "./texts.js";
import { ago, duration, moment } from "./times.js";

/**
 * @typedef {object} Card
 * @property {string} name
 * @property {string} topic
 * @property {string} anchor
 * @property {number} headPicId
 * @property {boolean} needPassword
 * @property {boolean} isPublic one may watch without an account
 * @property {string} description
 * @property {number} snapshotAt when its picture was taken, seconds since the epoch; 0: there is none
 * @property {number} followCount
 */
/** @typedef {{ startTime: number, endTime: number, duration: number, peakCount: number }} Past */

let room = 0;
let followed = false;

/** @param {number} id */
export function enterAbout(id) {
  room = id;
}

/** @param {Card} card */
export function showCard(card) {
  document.title = `${card.name} · QPlus`;
  byId("name").textContent = card.name;
  byId("anchor").textContent = card.anchor;
  byId("topic").textContent = card.topic;
  byId("description").textContent = card.description;
  byId("face").replaceChildren(face(card.headPicId, card.anchor));
  showFollowers(card.followCount);
  byId("last").hidden = !card.snapshotAt;
  if (card.snapshotAt) byId("last").src = `/snapshot/${room}.jpg?at=${card.snapshotAt}`;
}

/** @param {{ live: boolean, players: number }} state */
export function showNumbers(state) {
  byId("players").textContent = String(state.players);
  byId("watching").hidden = !state.live && state.players === 0;
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
}

/** There is no such room: neither a player nor anything to do with it. */
export function showNothing() {
  byId("place").hidden = true;
  byId("gone").hidden = false;
  document.title = `${t("roomGone")} · QPlus`;
}

/** @param {number} count */
function showFollowers(count) {
  byId("follow-count").textContent = String(count);
  byId("followers").textContent = t(count === 1 ? "follower" : "followers");
}

export async function showFollow() {
  followed = false;
  if (me.account) {
    const card = await ask("SearchLiveStream", { keyword: room });
    followed = card.isFollow === 1;
    showFollowers(card.followCount);
  }
  byId("follow").textContent = t(followed ? "unfollow" : "follow");
  byId("follow").setAttribute("aria-pressed", String(followed));
  byId("follow").classList.toggle("main", !followed);
  byId("follow-hint").hidden = followed;
}

async function follow() {
  if (!me.account) return logIn();
  await ask("FollowLiveRoom", { liveRoomId: room, isFollow: followed ? 0 : 1 });
  await showFollow();
}

/**
 * Where one may not know of them, there are none to be seen.
 * @param {string} ticket that a private room asks for, or nothing
 */
export async function showPast(ticket) {
  /** @type {{ list: Past[] }} */
  const { list } = await ask("GetPastBroadcasts", { liveRoomId: room, ticket }).catch(() => ({ list: [] }));
  byId("past").hidden = list.length === 0;
  byId("past-list").replaceChildren(...list.map(line));
  byId("last-on-air").textContent = list.length ? `${t("lastOnAir")} ${ago(list[0].endTime)}` : "";
}

/** @param {Past} past */
function line(past) {
  const began = element("time", { dateTime: new Date(past.startTime * 1000).toISOString() }, moment(past.startTime));
  const figures = `${duration(past.duration)} · ${t("atMost")} ${past.peakCount} ${t("watching")}`;
  return element("li", {}, began, element("span", { className: "soft" }, figures));
}

byId("follow").addEventListener("click", follow);
