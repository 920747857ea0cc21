/* The operators' page: what is live, how it goes, why a room is as it is, and what can be done about it. */

import { byId, element, logIn, me, onSession, onSubmit, start } from "./common.js";
import { drawLines } from "./plots.js";
import { t } from "./console_texts.js";
import { ago, duration } from "./times.js";

const LIVE_EVERY = 3000; // milliseconds
const FIGURES_EVERY = 10_000;
const MOST = 100; // rooms that are shown

/**
 * @typedef {object} Publisher
 * @property {string} node
 * @property {string} address
 * @property {string} encoder
 * @property {number} seconds
 * @property {number} bits_per_second
 * @property {number} width
 * @property {number} height
 * @property {number} frames_per_second
 * @property {string} video
 * @property {string} sound
 */
/** @typedef {{ room: number, name: string, viewers: number, live_since: number | null, publisher: Publisher | null }} LiveRoom */
/** @typedef {{ at: number, over_rtmp: number, over_hls: number, live: number, bits_per_second: number, joins: number, refusals: number, slowest: number }} Figure */

/** @type {number[]} */
let timers = [];
let shown = 0; // the room whose panel is open
let showing = 0; // which of several answers is the newest

class Out extends Error {}

const MEGABIT = 1e6;

/** @param {number} bits */
const megabits = (bits) => Math.round((10 * bits) / MEGABIT) / 10;

/** @param {number} seconds */
const milliseconds = (seconds) => seconds * 1e3;

/**
 * @param {string} path
 * @param {object} given
 * @returns {Promise<any>}
 */
async function post(path, given = {}) {
  let answer;
  try {
    answer = await fetch(`/console/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-QPlus-Page": "1" },
      body: JSON.stringify(given),
    });
  } catch {
    throw new Error(t("failed"));
  }
  if (answer.status === 401) throw new Out(t("enterAgain"));
  if (answer.status === 429) throw new Error(t("tooManyCodes"));
  const told = answer.headers.get("Content-Type")?.startsWith("application/json") ? await answer.json() : {};
  if (!answer.ok) throw new Error(told.error ?? t("failed"));
  return told;
}

/**
 * @param {string} name
 * @param {object} given
 */
const order = (name, given = {}) => post(`order/${name}`, given);

/** Shows what who is here may see. */
async function show() {
  close();
  byId("stranger").hidden = me.account !== "";
  if (!me.account) return;
  try {
    await open();
  } catch (failure) {
    if (!(failure instanceof Out)) throw failure;
    byId("enter").hidden = false;
  }
}

async function open() {
  const { nodes } = await order("show-nodes");
  byId("enter").hidden = true;
  byId("console").hidden = false;
  byId("nodes").textContent = nodes.map(nodeText).join(" · ");
  await Promise.all([showLive(), showFigures(), showAudit()]);
  timers = [setInterval(() => attempt(showLive), LIVE_EVERY), setInterval(() => attempt(showFigures), FIGURES_EVERY)];
  const asked = Number(location.hash.slice(1));
  if (asked) await showRoom(asked);
}

function close() {
  timers.forEach(clearInterval);
  timers = [];
  shown = 0;
  for (const id of ["enter", "console", "one"]) byId(id).hidden = true;
}

/** @param {{ name: string, lives: boolean, draining: boolean }} node */
function nodeText({ name, lives, draining }) {
  return `${t("node")} ${name}: ${t(lives ? (draining ? "draining" : "lives") : "gone")}`;
}

/**
 * What goes on by itself says what went wrong, and goes on.
 * @param {() => Promise<unknown>} work
 */
async function attempt(work) {
  try {
    await work();
    byId("fault").textContent = "";
  } catch (failure) {
    if (failure instanceof Out) await show();
    else byId("fault").textContent = failure instanceof Error ? failure.message : String(failure);
  }
}

async function showLive() {
  /** @type {{ rooms: LiveRoom[] }} */
  const { rooms } = await order("live-rooms", { most: MOST });
  byId("nobody").hidden = rooms.length > 0;
  byId("live").replaceChildren(...rooms.map(liveRow));
}

/** @param {LiveRoom} room */
function liveRow({ room, name, viewers, live_since, publisher }) {
  const since = live_since === null ? "" : duration(Date.now() / 1000 - live_since);
  const from = publisher ? `${publisher.encoder || "?"} · ${publisher.address}` : t("elsewhere");
  const video = publisher ? `${publisher.video} ${publisher.width}×${publisher.height} · ${publisher.sound}` : "";
  const values = {
    viewers: String(viewers),
    publisherFrom: from,
    video,
    bitrate: publisher ? `${Math.round(publisher.bits_per_second / 1000)} kbit/s` : "",
    fps: publisher ? String(publisher.frames_per_second) : "",
    onAirFor: since,
  };
  const cells = Object.entries(values).map(([key, value]) => cell(key, value));
  return element("tr", {}, cell("room", roomLink(room, name)), ...cells);
}

/**
 * @param {string} key of its text
 * @param {Node | string} value
 */
function cell(key, value) {
  const made = element("td", {}, value);
  made.dataset.label = t(/** @type {any} */ (key));
  return made;
}

/**
 * @param {number} room
 * @param {string} name
 */
function roomLink(room, name) {
  const button = element("button", { type: "button" }, `${name} (${room})`);
  button.addEventListener("click", () => attempt(() => showRoom(room)));
  return button;
}

async function showFigures() {
  /** @type {{ figures: Figure[] }} */
  const { figures } = await order("show-figures", { span: byId("span").value });
  byId("no-figures").hidden = figures.length > 1;
  const times = figures.map((figure) => figure.at);
  /** @param {(figure: Figure) => number} of */
  const values = (of) => figures.map(of);
  drawLines(byId("plots"), times, [
    { key: "viewers", unit: "", values: values((figure) => Math.round(figure.over_rtmp + figure.over_hls)) },
    { key: "bitrate", unit: " Mbit/s", values: values((figure) => megabits(figure.bits_per_second)) },
    { key: "joins", unit: "", values: values((figure) => figure.joins) },
    { key: "refusals", unit: "", values: values((figure) => figure.refusals) },
    { key: "callbackP99", unit: " ms", values: values((figure) => milliseconds(figure.slowest)) },
  ]);
}

/** @param {number} room */
async function showRoom(room) {
  const number = ++showing;
  shown = room;
  const [told, { story }] = await Promise.all([order("show-room", { room }), order("show-story", { room })]);
  const { blocked } = await order("show-user", { user: told.owner });
  if (number !== showing) return;
  byId("one").hidden = false;
  byId("one-title").textContent = `${told.name} (${room})`;
  byId("why").textContent = `${t(story.live ? "live" : "offAir")}: ${story.why}`;
  const facts = {
    owner: told.account + (blocked ? ` (${t("blocked")})` : ""),
    viewers: String(told.viewers),
    overRtmp: String(told.here_over_rtmp),
    overHls: String(told.here_over_hls),
    notCounted: String(story.not_counted),
    gate: told.closed_for ? `${t("closedFor")} ${duration(told.closed_for)}` : t("pushAllowed"),
  };
  byId("figures").replaceChildren(
    ...Object.entries(facts).map(([key, value]) =>
      element("div", {}, element("dt", {}, t(/** @type {any} */ (key))), element("dd", {}, value)),
    ),
  );
  byId("actions").replaceChildren(...actions(room, told, blocked));
  byId("done").textContent = "";
  byId("story").replaceChildren(...story.happened.map(happenedItem).reverse());
  byId("one").focus();
}

/** @param {{ at: number, text: string }} happened */
function happenedItem({ at, text }) {
  return element("li", {}, element("time", {}, new Date(at * 1000).toLocaleTimeString()), text);
}

/**
 * @param {number} room
 * @param {{ closed_for: number, owner: number, publisher: Publisher | null }} told
 * @param {boolean} blocked whether its owner is
 */
function actions(room, { closed_for, owner, publisher }, blocked) {
  const offered = [];
  if (publisher) offered.push(action("endBroadcast", "end-broadcast", { room }));
  offered.push(closed_for ? action("openAgain", "open-room", { room }) : action("closeRoom", "close-room", { room, seconds: 3600 }));
  offered.push(action("signOutOwner", "sign-out", { user: owner }));
  offered.push(blocked ? action("unblockOwner", "unblock-user", { user: owner }) : action("blockOwner", "block-user", { user: owner }));
  const watch = element("a", { className: "button", href: `/room/${room}` }, t("watchPage"));
  return [...offered, watch];
}

/**
 * @param {"endBroadcast" | "openAgain" | "closeRoom" | "signOutOwner" | "blockOwner" | "unblockOwner"} key of its text
 * @param {string} name
 * @param {object} given
 */
function action(key, name, given) {
  const button = element("button", { type: "button" }, t(key));
  button.addEventListener("click", () =>
    attempt(async () => {
      if (!confirm(`${t(key)}?`)) return;
      await order(name, given);
      await Promise.all([showLive(), showAudit(), showRoom(shown)]);
      byId("done").textContent = t("doneThat");
    }),
  );
  return button;
}

/** @param {Record<string, string>} fields */
async function find({ text = "" }) {
  const [{ rooms }, { users }] = await Promise.all([order("find-rooms", { text }), order("find-users", { text })]);
  /** @param {{ room: number, name: string, account: string }} each */
  const roomRow = (each) => element("tr", {}, cell("room", roomLink(each.room, each.name)), cell("account", each.account));
  /** @param {{ user: number, account: string, room: number }} each */
  const userRow = (each) =>
    element("tr", {}, cell("account", each.account), cell("room", each.room ? roomLink(each.room, String(each.room)) : "–"));
  byId("found").replaceChildren(...rooms.map(roomRow), ...users.map(userRow));
}

async function showAudit() {
  const { audit } = await order("show-audit", { before: 0 });
  /** @param {{ at: number, operator: string, what: string, details: object }} each */
  const row = ({ at, operator, what, details }) =>
    element("tr", {}, cell("when", ago(at)), cell("who", operator), cell("what", what), cell("details", JSON.stringify(details)));
  byId("audit").replaceChildren(...audit.slice(0, 20).map(row));
}

byId("log-in").addEventListener("click", logIn);
onSubmit(byId("code"), async (fields) => {
  await post("enter", { code: fields.code });
  byId("code").reset();
  await open();
});
byId("leave").addEventListener("click", () => attempt(() => post("leave").then(show)));
byId("span").addEventListener("change", () => attempt(showFigures));
onSubmit(byId("find"), find);
onSession(show);
await start();
