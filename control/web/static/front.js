/* The rooms that are live now, and search. */

import { ask, byId, element, face, logIn, me, onSession, onSubmit, start, watch } from "./common.js";
import { t } from "./texts.js";

const counts = new Map();

function count(players) {
  return element("span", { className: "soft" }, `${players} ${t("watching")}`);
}

function tile(room, ...more) {
  const link = element(
    "a",
    { href: `/room/${room.id}` },
    face(room.headPicId, room.anchor),
    element("strong", {}, room.name),
    element("span", { className: "soft" }, room.topic ? `${room.anchor} · ${room.topic}` : room.anchor),
    element("span", { className: "row" }, ...more),
  );
  if (room.needPassword) link.lastChild.append(element("span", { className: "badge" }, t("private")));
  return element("li", {}, link);
}

/** Tiles that are there already stay as they are, and with them the keyboard's focus. */
const tiles = new Map();

function showRooms(rooms) {
  const list = byId("rooms");
  const wanted = new Set(rooms.map((room) => room.id));
  for (const [id, made] of tiles) {
    if (wanted.has(id)) continue;
    made.item.remove();
    tiles.delete(id);
    counts.delete(id);
  }
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

function showCounts(players) {
  for (const [id, number] of Object.entries(players)) {
    const place = counts.get(Number(id));
    if (place) place.textContent = `${number} ${t("watching")}`;
  }
}

let wanted = null;

async function search(keyword) {
  byId("found").hidden = false;
  const results = byId("results");
  try {
    const reply = await ask("SearchLiveStream", { keyword });
    results.replaceChildren(...reply.list.map(found));
  } catch (failure) {
    if (failure.status !== 10200) throw failure;
    results.replaceChildren(element("li", { className: "soft" }, t("nothingFound")));
  }
}

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
  wanted = keyword; // carried out once they have logged in
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
