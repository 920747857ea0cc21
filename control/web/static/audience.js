/* Who watches the room now, who may not, and how earlier broadcasts were watched. */

import { ask, byId, element } from "./common.js";
import { endingText, language, t } from "./texts.js";

const EVERY = 5000; // ms
const SHOWN = 100; // viewers
const BAN = 3600; // seconds
let room = 0;
let timer;

/** Shows and keeps showing the audience of a room of mine. */
export function follow(roomId) {
  room = roomId;
  clearInterval(timer);
  timer = setInterval(() => document.hidden || refresh(), EVERY);
  return refresh();
}

export function unfollow() {
  clearInterval(timer);
}

export async function refresh() {
  try {
    const [people, past] = await Promise.all([
      ask("GetRoomPlayers", { liveRoomId: room, count: SHOWN }),
      ask("GetMyLiveSessions", { count: 10 }),
    ]);
    showViewers(people);
    showBroadcasts(past.list);
    byId("audience-trouble").textContent = "";
  } catch (failure) {
    byId("audience-trouble").textContent = failure.message;
  }
}

function showViewers(people) {
  byId("nobody").hidden = people.number > 0;
  replace(byId("viewers"), people.list.map(viewer));
  byId("more-viewers").hidden = people.number <= people.list.length;
  byId("more-viewers").textContent = `+ ${people.number - people.list.length}`;
  byId("banned-title").hidden = people.bannedList.length === 0;
  replace(byId("banned"), people.bannedList.map(banned));
}

/** Puts new lines in place of old ones, but keeps those that stay: one of them may be about to be clicked. */
function replace(list, lines) {
  const old = new Map([...list.children].map((line) => [line.dataset.id, line]));
  list.replaceChildren(
    ...lines.map((line) => {
      const kept = old.get(line.dataset.id);
      kept?.firstChild.replaceWith(line.firstChild);
      return kept ?? line;
    }),
  );
}

function viewer(player) {
  const name = player.userId ? player.nickName : t("unknownViewer");
  const line = person(player.playerId, `${name} · ${player.protocol.toUpperCase()} · ${lasting(player.seconds)}`);
  line.append(button("kick", name, () => ask("KickPlayer", { liveRoomId: room, playerId: player.playerId })));
  if (player.userId) line.append(button("ban", name, () => setBan(player.userId, 1)));
  return line;
}

function banned(ban) {
  const line = person(`banned ${ban.userId}`, `${ban.nickName} · ${lasting(ban.seconds)}`);
  line.append(button("lift", ban.nickName, () => setBan(ban.userId, 0)));
  return line;
}

function person(id, text) {
  const line = element("li", {}, element("span", {}, text));
  line.dataset.id = id;
  return line;
}

function button(key, name, work) {
  const made = element("button", { type: "button" }, t(key));
  made.setAttribute("aria-label", `${t(key)}: ${name}`);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await work();
      await refresh();
    } catch (failure) {
      byId("audience-trouble").textContent = failure.message;
    }
    made.disabled = false;
  });
  return made;
}

function setBan(userId, status) {
  return ask("BanUser", { liveRoomId: room, userId, status, timeout: BAN });
}

function showBroadcasts(list) {
  byId("never").hidden = list.length > 0;
  byId("broadcasts").hidden = list.length === 0;
  byId("broadcasts").tBodies[0].replaceChildren(...list.map(broadcast));
}

function broadcast(row) {
  const began = new Date(row.startTime * 1000).toLocaleString(language, { dateStyle: "short", timeStyle: "short" });
  const cells = [began, lasting(row.duration), row.peakCount, row.totalCount, endingText(row.endReason)];
  return element("tr", {}, ...cells.map((text) => element("td", {}, String(text))));
}

function lasting(seconds) {
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}
