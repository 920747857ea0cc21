/* The rooms that are live now, those that the visitor follows, and search. */

import { Refused, ask, byId, element, logIn, me, messageOf, onSession, onSubmit, start, watch, within } from "./common.js";
import { choose, countFeatured, feature, pictureFeatured } from "./featured.js";
import { Status } from "./statuses.js";
import { t } from "./texts.js";
import { cardOf, tile } from "./tiles.js";

/** @typedef {import("./tiles.js").Card} Card */
/** @typedef {import("./tiles.js").Tile} Tile */

const FOLLOWED = 100; // rooms
const FOLLOWED_EVERY = 30_000; // milliseconds
const LATE = 3000; // milliseconds after which the page is shown whatever it knows
const TYPED = 300; // milliseconds after the last key

/**
 * Tiles that are there already stay as they are, and with them the keyboard's focus.
 * @type {Map<number, { made: Tile, text: string }>}
 */
const tiles = new Map();

/** @param {Card[]} rooms */
function showRooms(rooms) {
  const list = byId("rooms");
  const shown = new Set(rooms.map((room) => room.id));
  for (const [id, { made }] of tiles) {
    if (shown.has(id)) continue;
    made.item.remove();
    tiles.delete(id);
  }
  /** @type {HTMLElement | null} */
  let before = null;
  for (const room of rooms.toReversed()) {
    const text = JSON.stringify(room);
    let known = tiles.get(room.id);
    if (known?.text !== text) {
      known?.made.item.remove();
      known = { made: tile({ ...room, live: true }), text };
      known.made.showPlayers(0);
      tiles.set(room.id, known);
    }
    const { item } = known.made;
    if (item.nextSibling !== before || item.parentNode !== list) list.insertBefore(item, before);
    before = item;
  }
  byId("nobody").hidden = rooms.length > 0;
  feature(rooms);
}

/** At once, when what it is about is there: so nothing moves. */
function showPage() {
  byId("content").classList.remove("waits");
}

/** @param {Record<string, number>} players by room */
function showCounts(players) {
  countFeatured(players);
  for (const [id, number] of Object.entries(players)) tiles.get(Number(id))?.made.showPlayers(number);
  showPage();
}

/** @param {Record<string, number>} taken when each room's picture was, by room */
function showPictures(taken) {
  pictureFeatured(taken);
  for (const [id, at] of Object.entries(taken)) {
    tiles.get(Number(id))?.made.showPicture(`/snapshot/${id}.jpg?at=${at}`);
  }
}

/**
 * @param {HTMLElement} list
 * @param {any[]} rooms as the APIs have them
 */
function fill(list, rooms) {
  const made = rooms.map((room) => {
    const known = tile(cardOf(room));
    if (room.isPlay) known.showPlayers(room.playerCount);
    return known.item;
  });
  list.replaceChildren(...made);
}

/** What the last answer was, so that one that says the same leaves the page alone. */
let followed = "";

async function showFollowed() {
  const rooms = me.account ? await followedRooms() : [];
  byId("follows").hidden = !rooms.length;
  const text = JSON.stringify(rooms);
  if (text === followed) return;
  followed = text;
  fill(byId("followed"), rooms);
}

async function followedRooms() {
  const reply = await ask("GetLiveRoomList", { type: 2, refresh: 1, count: FOLLOWED });
  return [...reply.onlineList, ...reply.offlineList].slice(0, FOLLOWED);
}

/**
 * A search that waits for a login.
 * @type {string | null}
 */
let wanted = null;
/** The last keyword that was asked for: an answer to one before it comes too late. */
let asked = "";

/** @param {string} keyword */
async function search(keyword) {
  asked = keyword;
  within(byId("search"), ".error").textContent = "";
  try {
    const reply = await ask("SearchLiveStream", { keyword });
    if (asked !== keyword) return;
    fill(byId("results"), reply.list);
  } catch (failure) {
    if (!(failure instanceof Refused) || failure.status !== Status.LIVEROOM_ID_NOT_EXIST) throw failure;
    if (asked !== keyword) return;
    byId("results").replaceChildren(element("li", { className: "soft" }, t("nothingFound")));
  }
  byId("found").hidden = false;
}

/** @param {unknown} failure */
function showFailure(failure) {
  endSearch();
  within(byId("search"), ".error").textContent = messageOf(failure);
}

function endSearch() {
  asked = "";
  byId("found").hidden = true;
}

onSubmit(byId("search"), async ({ keyword }) => {
  if (me.account) return search(keyword);
  wanted = keyword;
  logIn();
});

/** @type {number | undefined} */
let typing;
byId("search").addEventListener("input", (event) => {
  const keyword = event.target instanceof HTMLInputElement ? event.target.value.trim() : "";
  clearTimeout(typing);
  if (!keyword) return endSearch();
  if (me.account) typing = setTimeout(() => search(keyword).catch(showFailure), TYPED);
});

onSession(async () => {
  choose();
  await showFollowed();
  if (!me.account || wanted === null) return;
  const keyword = wanted;
  wanted = null;
  await search(keyword);
});

setInterval(() => {
  if (document.hidden) return;
  showFollowed().catch(() => undefined); // the next one will tell
}, FOLLOWED_EVERY);
setInterval(() => tiles.forEach(({ made }) => made.showTime()), 1000);

setTimeout(showPage, LATE);
await start().finally(() => watch("/events", { rooms: showRooms, players: showCounts, snapshots: showPictures }));
