/* An anchor's own room: what to put into the encoder, and what comes of it. */

import { follow, refresh, unfollow } from "./audience.js";
import { ask, byId, element, logIn, me, messageOf, onSession, onSubmit, start, watch } from "./common.js";
import { language, reasonText, t } from "./texts.js";

const FAR_APART = 2.5; // seconds between key frames from which on viewers notice
/**
 * @typedef {object} Publisher what is known of it; 0 or empty where nothing is
 * @property {number} key_frame_seconds
 * @property {number} bits_per_second
 * @property {number} width
 * @property {number} height
 * @property {number} frames_per_second
 * @property {string} encoder
 * @property {string} address
 */
/** @typedef {{ at: number, reason: string, address: string, encoder: string }} RefusedPush */
/**
 * @typedef {object} State
 * @property {boolean} live
 * @property {number} players
 * @property {number} gateShut seconds until the gate opens by itself
 * @property {Publisher | null} publisher
 * @property {RefusedPush[]} refused
 */

/** @type {any} */
let room = null; // as GetMyLiveRoom has it
/** @type {(() => void) | null} */
let unwatch = null;
/** @type {Partial<State>} */
let last = {};

async function show() {
  byId("stranger").hidden = me.account !== "";
  byId("new").hidden = !me.account || me.liveRoomId !== 0;
  byId("mine").hidden = !me.account || me.liveRoomId === 0;
  unwatch?.();
  unwatch = null;
  unfollow();
  if (byId("mine").hidden) return;
  await load();
  await follow(room.liveRoomId);
  unwatch = watch("/events/studio", { state: showState });
}

async function load() {
  room = await ask("GetMyLiveRoom");
  byId("server").value = room.playRtmpUrl.slice(0, room.playRtmpUrl.lastIndexOf("/"));
  byId("key").value = `${room.liveRoomId}?pwd=${room.liveRoomAnchorPwd}`;
  byId("watch").href = `/room/${room.liveRoomId}`;
  if (byId("qr-box").open) showQr();
  const form = byId("modify");
  for (const name of ["liveRoomName", "liveRoomTopic", "liveRoomDesc"]) field(form, name).value = room[name];
  for (const name of ["liveRoomUserPwd", "liveRoomAnchorPwd"]) field(form, name).value = "";
  byId("is-open").checked = room.isOpen === 1;
  showOpen();
}

/** A room is open, or has a viewing password that its owner chose. */
function showOpen() {
  const open = byId("is-open").checked;
  const password = field(byId("modify"), "liveRoomUserPwd");
  password.disabled = open;
  password.required = !open && room.isOpen === 1;
  byId("kind").textContent = t(open ? "openRoom" : "privateRoom");
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
  byId("gate").textContent = state.gateShut ? t("gateShut") + state.gateShut : t("gateOpen");
  showPublisher(state.publisher);
  byId("none-refused").hidden = state.refused.length > 0;
  byId("refused").replaceChildren(...state.refused.map(refusal));
  if (state.live !== last.live || state.players !== last.players) refresh();
  last = state;
}

/** @param {Publisher | null} publisher */
function showPublisher(publisher) {
  const seconds = publisher?.key_frame_seconds ?? 0;
  /** @type {Record<string, string | 0> | null} */
  const values = publisher && {
    bitrate: publisher.bits_per_second && `${Math.round(publisher.bits_per_second / 1000)} kbit/s`,
    resolution: publisher.width && `${publisher.width}×${publisher.height}`,
    fps: publisher.frames_per_second && String(Math.round(publisher.frames_per_second * 100) / 100),
    "key-frames": seconds && `${seconds.toFixed(1)} ${t("seconds")}`,
    encoder: publisher.encoder,
    from: publisher.address,
  };
  for (const id of ["bitrate", "resolution", "fps", "key-frames", "encoder", "from"]) {
    byId(id).textContent = values?.[id] || "–";
  }
  byId("hint").hidden = seconds < FAR_APART;
}

/** @param {RefusedPush} push */
function refusal(push) {
  const time = new Date(push.at * 1000).toLocaleTimeString(language);
  return element("li", {}, `${time} · ${reasonText(push.reason)} · ${push.address} · ${push.encoder}`);
}

/** @param {HTMLElement} button */
async function copy(button) {
  const source = /** @type {HTMLInputElement} */ (byId(String(button.dataset.copy)));
  try {
    await navigator.clipboard.writeText(source.value);
  } catch {
    // Without TLS browsers keep the clipboard from scripts, but not from a selection.
    const type = source.type;
    source.type = "text";
    source.select();
    document.execCommand("copy");
    source.type = type;
  }
  button.textContent = t("copied");
  setTimeout(() => (button.textContent = t("copy")), 2000);
}

/** @param {0 | 1} status */
async function setGate(status) {
  byId("trouble").textContent = "";
  try {
    await ask("PushLiveStream", { liveRoomId: room.liveRoomId, status });
  } catch (failure) {
    byId("trouble").textContent = messageOf(failure);
  }
}

/** @type {NodeListOf<HTMLElement>} */
const copiers = document.querySelectorAll("[data-copy]");
for (const button of copiers) button.addEventListener("click", () => copy(button));
byId("show").addEventListener("click", () => {
  const hidden = byId("key").type === "password";
  byId("key").type = hidden ? "text" : "password";
  byId("show").textContent = t(hidden ? "hide" : "show");
});
byId("qr-box").addEventListener("toggle", () => byId("qr-box").open && showQr());
byId("stop").addEventListener("click", () => setGate(0));
byId("start").addEventListener("click", () => setGate(1));
byId("log-in").addEventListener("click", logIn);
onSubmit(byId("create"), async (fields) => {
  const made = await ask("CreateLiveRoom", fields);
  me.liveRoomId = made.liveRoomId;
  await show();
});
onSubmit(byId("modify"), async (fields) => {
  byId("saved").textContent = "";
  await ask("ModifyMyLiveRoom", { ...fields, isOpen: Number(byId("is-open").checked) });
  await load();
  byId("saved").textContent = t("saved");
});
byId("is-open").addEventListener("change", showOpen);
onSession(show);
start();
