/* Times in people's words. */

import { language } from "./texts.js";

/**
 * As 5:09 or 1:05:09; a clock that is behind shows 0:00.
 * @param {number} seconds
 */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((part, at) => (at ? String(part).padStart(2, "0") : part)).join(":");
}

/** @param {number} at seconds since the epoch */
export function moment(at) {
  return new Date(at * 1000).toLocaleString(language, { dateStyle: "medium", timeStyle: "short" });
}

/** @type {[Intl.RelativeTimeFormatUnit, number][]} */
const UNITS = [
  ["year", 31_536_000],
  ["month", 2_592_000],
  ["week", 604_800],
  ["day", 86_400],
  ["hour", 3600],
  ["minute", 60],
];

/**
 * How long ago, by the largest unit of which one has passed.
 * @param {number} at seconds since the epoch
 */
export function ago(at) {
  const seconds = Math.max(0, Date.now() / 1000 - at);
  const [unit, length] = UNITS.find(([, least]) => seconds >= least) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(language, { numeric: "auto" }).format(-Math.floor(seconds / length), unit);
}
