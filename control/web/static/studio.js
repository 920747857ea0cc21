/* An anchor's own room: what to put into the encoder, and what comes of it. */

import { follow, refresh, unfollow } from "./audience.js";
import { ask, byId, element, logIn, me, onSession, onSubmit, start, watch } from "./common.js";
import { language, reasonText, t } from "./texts.js";

const FAR_APART = 2.5; // seconds between key frames from which on viewers notice
let room = null;
let unwatch = null;
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
  for (const name of ["liveRoomName", "liveRoomTopic", "liveRoomDesc"]) form.elements[name].value = room[name];
  for (const name of ["liveRoomUserPwd", "liveRoomAnchorPwd"]) form.elements[name].value = "";
  const visitors = await fetch(`/web/room/${room.liveRoomId}`).then((answer) => answer.json());
  byId("kind").textContent = t(visitors.needPassword ? "privateRoom" : "openRoom");
}

function showQr() {
  byId("qr").src = `/studio/qr.svg?v=${Date.now()}`; // another picture once the password has changed
}

function showState(state) {
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
  byId("players").textContent = state.players;
  byId("gate").textContent = state.gateShut ? t("gateShut") + state.gateShut : t("gateOpen");
  showPublisher(state.publisher);
  byId("none-refused").hidden = state.refused.length > 0;
  byId("refused").replaceChildren(...state.refused.map(refusal));
  if (state.live !== last.live || state.players !== last.players) refresh();
  last = state;
}

function showPublisher(publisher) {
  const seconds = publisher?.key_frame_seconds ?? 0;
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

function refusal(attempt) {
  const time = new Date(attempt.at * 1000).toLocaleTimeString(language);
  return element("li", {}, `${time} · ${reasonText(attempt.reason)} · ${attempt.address} · ${attempt.encoder}`);
}

async function copy(button) {
  const field = byId(button.dataset.copy);
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    // Without TLS browsers keep the clipboard from scripts, but not from a selection.
    const type = field.type;
    field.type = "text";
    field.select();
    document.execCommand("copy");
    field.type = type;
  }
  button.textContent = t("copied");
  setTimeout(() => (button.textContent = t("copy")), 2000);
}

async function setGate(status) {
  byId("trouble").textContent = "";
  try {
    await ask("PushLiveStream", { liveRoomId: room.liveRoomId, status });
  } catch (failure) {
    byId("trouble").textContent = failure.message;
  }
}

for (const button of document.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
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
  await ask("ModifyMyLiveRoom", fields);
  await load();
  byId("saved").textContent = t("saved");
});
onSession(show);
start();
