/* Passing a room on: its link, a code to scan, and what other players take. */

import { byId, within } from "./common.js";
import { t } from "./texts.js";

/** @typedef {{ playRtmpUrl: string, playHlsUrl: string }} Addresses */

/** @type {() => Promise<Addresses | null>} of somebody who may watch */
let addresses = async () => null;

/**
 * @param {number} room
 * @param {() => Promise<Addresses | null>} ofPlayers asked when somebody wants to see them: they are secret
 */
export function enterShare(room, ofPlayers) {
  addresses = ofPlayers;
  byId("share-link").value = `${location.origin}/room/${room}`;
  byId("share-button").addEventListener("click", () => {
    byId("share-code").src = `/web/room/${room}/qr.svg`;
    byId("share-send").hidden = !navigator.share;
    byId("share").showModal();
  });
}

async function showAddresses() {
  if (!byId("others").open) return hideAddresses();
  const shown = await addresses().catch(() => null);
  byId("no-address").hidden = shown !== null;
  byId("addresses").hidden = shown === null;
  byId("rtmp-address").value = shown?.playRtmpUrl ?? "";
  byId("hls-address").value = shown?.playHlsUrl ?? "";
}

/** They stay in no page that is left open. */
function hideAddresses() {
  byId("others").open = false;
  byId("rtmp-address").value = byId("hls-address").value = "";
}

/** @param {HTMLButtonElement} button of the field before it */
async function copy(button) {
  const field = button.previousElementSibling;
  if (!(field instanceof HTMLInputElement)) return;
  field.select();
  // Over http from another machine browsers have no clipboard for scripts but this old one.
  if (navigator.clipboard) await navigator.clipboard.writeText(field.value);
  else document.execCommand("copy");
  byId("share-done").textContent = t("copied");
}

for (const button of byId("share").querySelectorAll("button.copy")) {
  if (button instanceof HTMLButtonElement) button.addEventListener("click", () => copy(button));
}
byId("others").addEventListener("toggle", showAddresses);
within(byId("share"), ".close").addEventListener("click", () => byId("share").close());
byId("share").addEventListener("close", () => {
  hideAddresses();
  byId("share-done").textContent = "";
});
byId("share-send").addEventListener("click", () => {
  navigator.share({ title: document.title, url: byId("share-link").value }).catch(() => undefined);
});
