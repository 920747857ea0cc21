/* Words of what the operator allows. */

import { language } from "./texts.js";

/** Of what the operator allows, by name; with the unit. @type {Record<"zh" | "en", Record<string, [string, string]>>} */
const LIMITS = {
  zh: { kbps: ["码率", " kbit/s"], height: ["画面高度", ""], hours: ["24 小时内直播", " 小时"] },
  en: { kbps: ["Bitrate", " kbit/s"], height: ["Picture height", ""], hours: ["On air within 24 hours", " h"] },
};

/**
 * @param {string} limit
 * @param {number} value
 * @param {number} most
 * @param {number} seconds until the stream is ended
 */
export function limitText(limit, value, most, seconds) {
  const [name, unit] = LIMITS[language][limit] ?? [limit, ""];
  const [allowed, left] = language === "zh" ? ["上限", "秒后结束直播"] : ["allowed", "s until the stream is ended"];
  return `${name} ${value}${unit} (${allowed} ${most}${unit}), ${seconds} ${left}`;
}
