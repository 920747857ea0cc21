/* Who watches the room now, who may not, and how earlier broadcasts were watched. */

import { ask, byId, element, messageOf, whileShut } from "./common.js";
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
 * Puts new lines in place of old ones, but leaves those alone that stay, but for their texts: one of them may be about to
 * be clicked, or have the keyboard's focus.
 * @param {HTMLElement} list
 * @param {HTMLElement[]} lines
 */
function replace(list, lines) {
  const children = /** @type {HTMLElement[]} */ ([...list.children]);
  const old = new Map(children.map((line) => [line.dataset.id, line]));
  const shown = lines.map((line) => retold(old.get(line.dataset.id), line));
  for (const line of children) if (!shown.includes(line)) line.remove();
  shown.forEach((line, at) => {
    if (list.children[at] !== line) list.insertBefore(line, list.children[at] ?? null);
  });
}

/**
 * @param {HTMLElement | undefined} kept
 * @param {HTMLElement} line
 */
function retold(kept, line) {
  if (!kept) return line;
  [...line.children].forEach((part, at) => {
    const before = kept.children[at];
    const isText = part.tagName !== "BUTTON" && !part.querySelector("button");
    if (isText && before.textContent !== part.textContent) before.replaceChildren(...part.childNodes);
  });
  return kept;
}

/** @param {Viewer} player */
function viewer(player) {
  const name = player.userId ? player.nickName : t(player.isGuest ? "guest" : "unknownViewer");
  const line = person(player.playerId, name, `${player.protocol.toUpperCase()} · ${lasting(player.seconds)}`);
  line.append(button("kick", name, () => ask("KickPlayer", { liveRoomId: room, playerId: player.playerId })));
  if (player.userId) line.append(button("ban", name, () => setBan(player.userId, 1)));
  return line;
}

/** @param {Ban} ban */
function banned(ban) {
  const line = person(`banned ${ban.userId}`, ban.nickName, lasting(ban.seconds));
  line.append(button("lift", ban.nickName, () => setBan(ban.userId, 0)));
  return line;
}

/**
 * @param {string} id
 * @param {string} name which may turn the direction of what stands beside it
 * @param {string} text
 */
function person(id, name, text) {
  const line = element("li", {}, element("span", {}, element("bdi", {}, name), ` · ${text}`));
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
  made.addEventListener("click", () => whileShut(made, () => done(work), nextButton));
  return made;
}

/** @param {() => Promise<unknown>} work */
async function done(work) {
  try {
    await work();
    await refresh();
  } catch (failure) {
    byId("audience-trouble").textContent = messageOf(failure);
  }
}

/** @returns {HTMLElement} */
function nextButton() {
  return byId("audience").querySelector("button") ?? byId("audience-title");
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
  replace(byId("broadcasts").tBodies[0], list.map(broadcast));
}

/** @param {Broadcast} past */
function broadcast({ startTime, duration, peakCount, totalCount, endReason }) {
  const began = new Date(startTime * 1000).toLocaleString(language, { dateStyle: "short", timeStyle: "short" });
  const cells = {
    began,
    lasted: lasting(duration),
    mostViewers: peakCount,
    allViewers: totalCount,
    ended: endingText(endReason),
  };
  const plot = element("button", { type: "button" }, t("plot"));
  plot.setAttribute("aria-label", `${t("plot")}: ${began}`);
  plot.addEventListener("click", () => showPlot(began, startTime));
  const shown = Object.entries(cells).map(([key, text]) => cell(key, String(text)));
  const row = element("tr", {}, ...shown, cell("plot", plot));
  row.dataset.id = String(startTime);
  return row;
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
