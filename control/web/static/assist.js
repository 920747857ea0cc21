/* A room's page for its assistants: who watches, and what they write. */

import { follow, refresh, unfollow } from "./audience.js";
import { closeChat, enterChat, showChat, showMessage } from "./chat.js";
import { Refused, ask, assist, byId, logIn, me, onSession, onSubmit, start, watch } from "./common.js";
import { t } from "./texts.js";

const id = Number(location.pathname.split("/").pop());
/** @type {(() => void) | null} */
let unwatch = null;

/** @typedef {{ live: boolean, players: number }} State */

/** With the password that the browser has, if it has one. */
async function show() {
  leave();
  byId("stranger").hidden = me.account !== "";
  if (!me.account) return;
  const exists = (await fetch(`/web/room/${id}`)).ok;
  byId("no-room").hidden = exists;
  if (!exists) return;
  try {
    await enter({});
  } catch (failure) {
    if (!(failure instanceof Refused)) throw failure;
    byId("enter").hidden = false;
  }
}

/** @param {{ liveRoomAssistPwd?: string }} shown */
async function enter(shown) {
  assist(shown.liveRoomAssistPwd ? 0 : id); // a cookie would go before what was typed
  const room = await ask("AssistRoom", { liveRoomId: id, ...shown });
  assist(id);
  byId("enter").hidden = true;
  byId("mine").hidden = false;
  byId("name").textContent = `${t("assist")}: ${room.liveRoomName}`;
  byId("watch").href = `/room/${id}`;
  enterChat(id, room.ticket, true);
  const path = `/events/room/${id}?ticket=${encodeURIComponent(room.ticket)}`;
  unwatch = watch(path, { state: showState, chat: showChat, message: showMessage }, closeChat);
  await follow(id);
}

function leave() {
  unwatch?.();
  unwatch = null;
  unfollow();
  byId("mine").hidden = true;
  byId("enter").hidden = true;
  byId("no-room").hidden = true;
}

/** @param {State} state */
function showState(state) {
  byId("state").textContent = t(state.live ? "live" : "offAir");
  byId("state").classList.toggle("live", state.live);
  byId("players").textContent = String(state.players);
  refresh();
}

byId("log-in").addEventListener("click", logIn);
onSubmit(byId("password"), async (fields) => {
  try {
    await enter({ liveRoomAssistPwd: fields.password });
  } catch (failure) {
    throw failure instanceof Refused ? new Error(t("wrongAssistPwd")) : failure;
  }
  byId("password").reset();
});
onSession(show);
start();
