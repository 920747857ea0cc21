/* Watching without an account, where the owner lets everybody. A guest is known by their ticket: it is shown again, or a
   page that is opened anew would be another viewer. */

import { ask } from "./common.js";

/**
 * @param {number} room
 * @returns {Promise<{ playRtmpUrl: string, playHlsUrl: string }>}
 */
export async function playAsGuest(room) {
  const name = `guest ${room}`;
  const reply = await ask("PlayLiveStream", { liveroomId: room, status: 1, ticket: held(name) });
  hold(name, new URL(reply.playHlsUrl).pathname.split("/")[2]);
  return reply;
}

/** @param {string} name */
function held(name) {
  try {
    return sessionStorage.getItem(name) ?? "";
  } catch {
    return "";
  }
}

/**
 * @param {string} name
 * @param {string} ticket
 */
function hold(name, ticket) {
  try {
    sessionStorage.setItem(name, ticket);
  } catch {
    return; // a browser may be told to keep nothing
  }
}
