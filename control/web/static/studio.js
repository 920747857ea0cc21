/* An anchor's own room: what to put into the encoder, and what comes of it. */

import { follow, refresh, unfollow } from "./audience.js";
import { closeChat, enterChat, showChat, showMessage } from "./chat.js";
import { ask, byId, element, logIn, me, messageOf, onSession, onSubmit, start, watch } from "./common.js";
import { copy, listen, showPasswords, toggle } from "./passwords.js";
import { watchStream } from "./player.js";
import { drawPlots } from "./plots.js";
import { forgetHooks } from "./hooks.js";
import { encoderName, showHealth, showPublisher } from "./publisher.js";
import { language, reasonText, t } from "./texts.js";

const SAMPLED = 10_000; // milliseconds between two looks at the samples: the server takes none more often
/** @typedef {{ at: number, reason: string, address: string, encoder: string }} RefusedPush */
/**
 * @typedef {object} State
 * @property {boolean} live
 * @property {boolean} settled it has been live for some seconds
 * @property {number} players
 * @property {number} gateShut seconds until the gate opens by itself
 * @property {import("./publisher.js").Publisher | null} publisher
 * @property {import("./publisher.js").Excess[]} limits that the stream is over
 * @property {RefusedPush[]} refused
 */

/** @type {any} */
let room = null; // as GetMyLiveRoom has it
/** @type {(() => void)[]} */
let streams = [];
/** @type {Partial<State>} */
let last = {};
/** @type {import("./publisher.js").Sample[]} */
let samples = [];
/** @type {ReturnType<typeof setInterval> | undefined} */
let sampling;
/** @type {ReturnType<typeof watchStream>} */
let preview = null;

async function show() {
  byId("stranger").hidden = me.account !== "";
  byId("new").hidden = !me.account || me.liveRoomId !== 0;
  byId("mine").hidden = !me.account || me.liveRoomId === 0;
  for (const end of streams.splice(0)) end();
  clearInterval(sampling);
  unfollow();
  endPreview();
  last = {}; // it may be another's room now
  forgetHooks();
  if (byId("mine").hidden) return;
  await load();
  await follow(room.liveRoomId);
  enterChat(room.liveRoomId, "");
  await showSamples();
  sampling = setInterval(() => document.hidden || showSamples(), SAMPLED);
  streams = [
    watch("/events/studio", { state: showState }),
    watch(`/events/room/${room.liveRoomId}`, { chat: showChat, message: showMessage }, closeChat),
  ];
}

async function load() {
  room = await ask("GetMyLiveRoom");
  byId("server").value = room.playRtmpUrl.slice(0, room.playRtmpUrl.lastIndexOf("/"));
  byId("key").value = `${room.liveRoomId}?pwd=${room.liveRoomAnchorPwd}`;
  byId("watch").href = `/room/${room.liveRoomId}`;
  if (byId("qr-box").open) showQr();
  showPasswords(room, load);
  byId("assist-help").textContent = `${t("assistHelp")} ${location.origin}/assist/${room.liveRoomId}`;
  const form = byId("modify");
  for (const name of ["liveRoomName", "liveRoomTopic", "liveRoomDesc"]) field(form, name).value = room[name];
  field(form, "liveRoomUserPwd").value = "";
  byId("is-open").checked = room.isOpen === 1;
  byId("is-public").checked = room.isPublic === 1;
  showOpen();
}

function openness() {
  return { isOpen: Number(byId("is-open").checked), isPublic: Number(byId("is-public").checked) };
}

/** A room is open, or has a viewing password that its owner chose: asked for here when it becomes private. */
function showOpen() {
  const open = byId("is-open").checked;
  const closes = !open && room.isOpen === 1;
  const password = field(byId("modify"), "liveRoomUserPwd");
  byId("user-pwd").hidden = !closes;
  password.disabled = !closes;
  password.required = closes;
  byId("is-public").disabled = !open;
  if (!open) byId("is-public").checked = false;
  byId("kind").textContent = t(byId("is-public").checked ? "publicRoom" : open ? "openRoom" : "privateRoom");
}

/**
 * @param {HTMLFormElement} form
 * @param {string} name
 */
function field(form, name) {
  return /** @type {HTMLInputElement | HTMLTextAreaElement} */ (form.elements.namedItem(name));
}

function showQr() {
  byId("qr").src = `/studio/qr.svg?v=${Date.now()}`; // another picture once the password has changed
}

/** @param {State} state */
function showState(state) {
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
  byId("players").textContent = String(state.players);
  byId("numbers").hidden = !state.live;
  byId("gate").checked = state.gateShut === 0;
  byId("gate-state").textContent = state.gateShut ? `${t("gateShut")} ${clock(state.gateShut)}` : t("gateOpen");
  showPublisher(state.publisher);
  showHealth(state.publisher, state.settled, samples, state.limits);
  byId("none-refused").hidden = state.refused.length > 0;
  byId("refused").replaceChildren(...state.refused.map(refusal));
  if (state.live !== last.live) (state.live ? beginPreview : endPreview)();
  if (state.live !== last.live || state.players !== last.players) refresh();
  last = state;
}

/** @param {number} seconds */
function clock(seconds) {
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** The owner is no viewer: who previews their own room is not counted. */
function beginPreview() {
  byId("screen").hidden = false;
  const video = byId("video");
  const play = () => video.play().catch(endPreview); // where a browser plays nothing unasked
  preview = watchStream(video, room.playHlsUrl, { playlist: play, refused: renewPreview, trouble() {}, failure: endPreview });
  if (preview === null) endPreview();
}

/** A ticket holds for some hours. */
async function renewPreview() {
  endPreview();
  room = await ask("GetMyLiveRoom");
  if (last.live) beginPreview();
}

function endPreview() {
  preview?.destroy();
  preview = null;
  byId("screen").hidden = true;
}

async function showSamples() {
  try {
    samples = (await ask("GetMyLiveSamples")).list;
    drawPlots(byId("plots"), samples);
  } catch (failure) {
    byId("trouble").textContent = messageOf(failure);
  }
}

/** @param {RefusedPush} push */
function refusal(push) {
  const time = new Date(push.at * 1000).toLocaleTimeString(language);
  return element("li", {}, `${time} · ${reasonText(push.reason)} · ${push.address} · ${encoderName(push.encoder)}`);
}

/** @param {0 | 1} status */
async function setGate(status) {
  byId("trouble").textContent = "";
  try {
    await ask("PushLiveStream", { liveRoomId: room.liveRoomId, status });
  } catch (failure) {
    byId("gate").checked = status === 0;
    byId("trouble").textContent = messageOf(failure);
  }
}

/**
 * @param {"copy" | "show"} what
 * @param {(input: HTMLInputElement, button: HTMLElement) => unknown} work on the input that a button names
 */
function onButtons(what, work) {
  /** @type {NodeListOf<HTMLElement>} */
  const buttons = document.querySelectorAll(`[data-${what}]`);
  for (const button of buttons) {
    const input = /** @type {HTMLInputElement} */ (document.getElementById(String(button.dataset[what])));
    button.addEventListener("click", () => work(input, button));
  }
}

onButtons("copy", copy);
onButtons("show", toggle);
listen();
byId("qr-box").addEventListener("toggle", () => byId("qr-box").open && showQr());
byId("gate").addEventListener("change", () => setGate(byId("gate").checked ? 1 : 0));
addEventListener("resize", () => drawPlots(byId("plots"), samples));
byId("log-in").addEventListener("click", logIn);
onSubmit(byId("create"), async (fields) => {
  const made = await ask("CreateLiveRoom", fields);
  me.liveRoomId = made.liveRoomId;
  await show();
});
onSubmit(byId("modify"), async (fields) => {
  byId("saved").textContent = "";
  await ask("ModifyMyLiveRoom", { ...fields, ...openness() });
  await load();
  byId("saved").textContent = t("saved");
});
for (const id of ["is-open", "is-public"]) byId(id).addEventListener("change", showOpen);
onSession(show);
start();
