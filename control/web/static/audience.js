/* Who watches the room now, who may not, and how earlier broadcasts were watched. */

import { ask, byId, element, messageOf } from "./common.js";
import { drawPlots } from "./plots.js";
import { endingText, language, t } from "./texts.js";

const EVERY = 5000; // ms
const SHOWN = 100; // viewers
const BAN = 3600; // seconds
const OWN = document.getElementById("past") !== null; // an assistant's page tells nothing of earlier broadcasts
let room = 0;
/** @type {number | undefined} */
let timer;

/** @typedef {{ playerId: string, userId: number, isGuest: 0 | 1, nickName: string, protocol: string, seconds: number }} Viewer */
/** @typedef {{ userId: number, nickName: string, seconds: number }} Ban */
/**
 * @typedef {object} Broadcast
 * @property {number} startTime
 * @property {number} duration in seconds
 * @property {number} peakCount
 * @property {number} totalCount
 * @property {string} endReason
 */

/**
 * Shows and keeps showing the audience of a room that I own, or assist in.
 * @param {number} roomId
 */
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
      OWN ? ask("GetMyLiveSessions", { count: 10 }) : null,
    ]);
    showViewers(people);
    if (past) showBroadcasts(past.list);
    byId("audience-trouble").textContent = "";
  } catch (failure) {
    byId("audience-trouble").textContent = messageOf(failure);
  }
}

/** @param {{ number: number, list: Viewer[], bannedList: Ban[] }} people */
function showViewers(people) {
  byId("nobody").hidden = people.number > 0;
  replace(byId("viewers"), people.list.map(viewer));
  byId("more-viewers").hidden = people.number <= people.list.length;
  byId("more-viewers").textContent = `+ ${people.number - people.list.length}`;
  byId("banned-title").hidden = people.bannedList.length === 0;
  replace(byId("banned"), people.bannedList.map(banned));
}

/**
 * Puts new lines in place of old ones, but keeps those that stay: one of them may be about to be clicked.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} lines
 */
function replace(list, lines) {
  const children = /** @type {Iterable<HTMLElement>} */ (list.children);
  const old = new Map([...children].map((line) => [line.dataset.id, line]));
  list.replaceChildren(
    ...lines.map((line) => {
      const kept = old.get(line.dataset.id);
      if (line.firstChild) kept?.firstChild?.replaceWith(line.firstChild);
      return kept ?? line;
    }),
  );
}

/** @param {Viewer} player */
function viewer(player) {
  const name = player.userId ? player.nickName : t(player.isGuest ? "guest" : "unknownViewer");
  const line = person(player.playerId, `${name} · ${player.protocol.toUpperCase()} · ${lasting(player.seconds)}`);
  line.append(button("kick", name, () => ask("KickPlayer", { liveRoomId: room, playerId: player.playerId })));
  if (player.userId) line.append(button("ban", name, () => setBan(player.userId, 1)));
  return line;
}

/** @param {Ban} ban */
function banned(ban) {
  const line = person(`banned ${ban.userId}`, `${ban.nickName} · ${lasting(ban.seconds)}`);
  line.append(button("lift", ban.nickName, () => setBan(ban.userId, 0)));
  return line;
}

/**
 * @param {string} id
 * @param {string} text
 */
function person(id, text) {
  const line = element("li", {}, element("span", {}, text));
  line.dataset.id = id;
  return line;
}

/**
 * @param {"kick" | "ban" | "lift"} key of its text
 * @param {string} name
 * @param {() => Promise<unknown>} work
 */
function button(key, name, work) {
  const made = element("button", { type: "button" }, t(key));
  made.setAttribute("aria-label", `${t(key)}: ${name}`);
  made.addEventListener("click", async () => {
    made.disabled = true;
    try {
      await work();
      await refresh();
    } catch (failure) {
      byId("audience-trouble").textContent = messageOf(failure);
    }
    made.disabled = false;
  });
  return made;
}

/**
 * @param {number} userId
 * @param {0 | 1} status
 */
function setBan(userId, status) {
  return ask("BanUser", { liveRoomId: room, userId, status, timeout: BAN });
}

/** @param {Broadcast[]} list */
function showBroadcasts(list) {
  byId("never").hidden = list.length > 0;
  byId("broadcasts").hidden = list.length === 0;
  byId("broadcasts").tBodies[0].replaceChildren(...list.map(broadcast));
}

/** @param {Broadcast} row */
function broadcast(row) {
  const began = new Date(row.startTime * 1000).toLocaleString(language, { dateStyle: "short", timeStyle: "short" });
  const cells = {
    began,
    lasted: lasting(row.duration),
    mostViewers: row.peakCount,
    allViewers: row.totalCount,
    ended: endingText(row.endReason),
  };
  const plot = element("button", { type: "button" }, t("plot"));
  plot.setAttribute("aria-label", `${t("plot")}: ${began}`);
  plot.addEventListener("click", () => showPlot(began, row.startTime));
  const shown = Object.entries(cells).map(([key, text]) => cell(key, String(text)));
  return element("tr", {}, ...shown, cell("plot", plot));
}

/**
 * @param {string} key of the text that stands before it where the table has no room for a head
 * @param {Node | string} content
 */
function cell(key, content) {
  const made = element("td", {}, content);
  made.dataset.label = t(/** @type {Parameters<typeof t>[0]} */ (key));
  return made;
}

/**
 * @param {string} title
 * @param {number} startTime
 */
async function showPlot(title, startTime) {
  byId("plot-title").textContent = title;
  byId("past-plots").replaceChildren();
  byId("no-plot").hidden = true;
  byId("plot-box").showModal();
  try {
    const samples = (await ask("GetMyLiveSamples", { startTime })).list;
    drawPlots(byId("past-plots"), samples);
    byId("no-plot").hidden = samples.length > 1;
  } catch (failure) {
    byId("plot-box").close();
    byId("audience-trouble").textContent = messageOf(failure);
  }
}


/** @param {number} seconds */
function lasting(seconds) {
  /** @param {number} number */
  const two = (number) => String(number).padStart(2, "0");
  return `${Math.floor(seconds / 3600)}:${two(Math.floor(seconds / 60) % 60)}:${two(seconds % 60)}`;
}

if (OWN) byId("plot-close").addEventListener("click", () => byId("plot-box").close());
