/* The chat over the picture, where the viewer wants it so: each message flies by once. */

import { byId, element } from "./common.js";
import { keep, kept } from "./kept.js";

const MOST = 30; // at a time; what is said meanwhile is in the chat alone
const CROSSING = 8; // seconds from one edge to the other
const LANE = 34; // pixels
const GAP = 32; // pixels between two in one lane
const PART = 0.6; // of the picture, from the top, which they fly over

/** When each lane's last message has let go of the edge, milliseconds of the page's life. @type {number[]} */
let lanes = [];
const still = matchMedia("(prefers-reduced-motion: reduce)");
let wanted = kept("danmaku") === "1";

/**
 * @param {number} number of the message
 * @param {string} text
 */
export function fly(number, text) {
  const layer = byId("danmaku");
  if (!wanted || still.matches || document.hidden || layer.hidden || layer.childElementCount >= MOST) return;
  const width = layer.clientWidth;
  const lane = freeLane(layer.clientHeight);
  if (lane < 0 || !width) return;
  const line = element("bdi", {}, text);
  line.dataset.number = String(number);
  layer.append(line);
  line.style.top = `${lane * LANE}px`;
  const speed = width / CROSSING; // the same for all: none runs into another
  const length = line.offsetWidth;
  lanes[lane] = performance.now() + (1000 * (length + GAP)) / speed;
  const path = [{ transform: `translateX(${width}px)` }, { transform: `translateX(${-length}px)` }];
  line.animate(path, { duration: (1000 * (width + length)) / speed }).addEventListener("finish", () => line.remove());
}

/**
 * Takes away what was deleted.
 * @param {number} number
 */
export function ground(number) {
  byId("danmaku").querySelector(`[data-number="${number}"]`)?.remove();
}

/** @param {number} height */
function freeLane(height) {
  const count = Math.max(1, Math.floor((height * PART) / LANE));
  lanes = Array.from({ length: count }, (_, lane) => lanes[lane] ?? 0);
  return lanes.findIndex((free) => free <= performance.now());
}

function show() {
  byId("danmaku").hidden = !wanted || still.matches;
  byId("danmaku-switch").hidden = still.matches;
  byId("danmaku-switch").setAttribute("aria-pressed", String(wanted));
  if (!wanted) byId("danmaku").replaceChildren();
}

export function toggleDanmaku() {
  if (still.matches) return;
  wanted = !wanted;
  keep("danmaku", wanted ? "1" : "0");
  show();
}

byId("danmaku-switch").addEventListener("click", toggleDanmaku);
still.addEventListener("change", show);
show();
