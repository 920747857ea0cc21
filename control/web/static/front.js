/* The rooms that are live now, and search. */

import { Refused, ask, byId, element, face, logIn, me, onSession, onSubmit, start, watch } from "./common.js";
import { Status } from "./statuses.js";
import { t } from "./texts.js";

/**
 * @typedef {object} Card what a visitor sees of a room
 * @property {number} id
 * @property {string} name
 * @property {string} topic
 * @property {string} anchor
 * @property {number} headPicId
 * @property {boolean} needPassword
 */

/** @type {Map<number, HTMLElement>} */
const counts = new Map();

/** @param {number} players */
function count(players) {
  return element("span", { className: "soft" }, `${players} ${t("watching")}`);
}

/**
 * @param {Card} room
 * @param {...HTMLElement} badges
 */
function tile(room, ...badges) {
  if (room.needPassword) badges.push(element("span", { className: "badge" }, t("private")));
  const link = element(
    "a",
    { href: `/room/${room.id}` },
    face(room.headPicId, room.anchor),
    element("strong", {}, room.name),
    element("span", { className: "soft" }, room.topic ? `${room.anchor} · ${room.topic}` : room.anchor),
    element("span", { className: "row" }, ...badges),
  );
  return element("li", {}, link);
}

/**
 * Tiles that are there already stay as they are, and with them the keyboard's focus.
 * @type {Map<number, { item: HTMLElement, text: string }>}
 */
const tiles = new Map();

/** @param {Card[]} rooms */
function showRooms(rooms) {
  const list = byId("rooms");
  const shown = new Set(rooms.map((room) => room.id));
  for (const [id, made] of tiles) {
    if (shown.has(id)) continue;
    made.item.remove();
    tiles.delete(id);
    counts.delete(id);
  }
  /** @type {HTMLElement | null} */
  let before = null;
  for (const room of rooms.toReversed()) {
    const text = JSON.stringify(room);
    let made = tiles.get(room.id);
    if (made?.text !== text) {
      const players = count(0);
      const item = tile(room, element("span", { className: "badge live" }, t("live")), players);
      made?.item.remove();
      made = { item, text };
      tiles.set(room.id, made);
      counts.set(room.id, players);
    }
    if (made.item.nextSibling !== before || made.item.parentNode !== list) list.insertBefore(made.item, before);
    before = made.item;
  }
  byId("nobody").hidden = rooms.length > 0;
}

/** @param {Record<string, number>} players by room */
function showCounts(players) {
  for (const [id, number] of Object.entries(players)) {
    const place = counts.get(Number(id));
    if (place) place.textContent = `${number} ${t("watching")}`;
  }
}

/**
 * A search that waits for a login.
 * @type {string | null}
 */
let wanted = null;

/** @param {string} keyword */
async function search(keyword) {
  byId("found").hidden = false;
  const results = byId("results");
  try {
    const reply = await ask("SearchLiveStream", { keyword });
    results.replaceChildren(...reply.list.map(found));
  } catch (failure) {
    if (!(failure instanceof Refused) || failure.status !== Status.LIVEROOM_ID_NOT_EXIST) throw failure;
    results.replaceChildren(element("li", { className: "soft" }, t("nothingFound")));
  }
}

/** @param {any} room as SearchLiveStream has it */
function found(room) {
  const state = element("span", { className: room.isPlay ? "badge live" : "badge" }, t(room.isPlay ? "live" : "offAir"));
  const card = {
    id: room.liveRoomId,
    name: room.liveRoomName,
    topic: room.liveRoomTopic,
    anchor: room.anchorName,
    headPicId: room.headPicId,
    needPassword: room.needPassword === 1,
  };
  return tile(card, state, count(room.playerCount));
}

onSubmit(byId("search"), async ({ keyword }) => {
  if (me.account) return search(keyword);
  wanted = keyword;
  logIn();
});
onSession(async () => {
  if (!me.account || wanted === null) return;
  const keyword = wanted;
  wanted = null;
  await search(keyword);
});
watch("/events", { rooms: showRooms, players: showCounts });
start();
