/* What a publisher sends, in figures, and in words with a remedy where something is wrong with it. */

import { byId, element } from "./common.js";
import { limitText } from "./limit_texts.js";
import { t } from "./texts.js";

const FAR_APART = 4; // seconds between key frames from which on viewers wait long for a picture
const FEW = 6; // samples from which on it is known what is usual
const LATEST = 2; // samples, a mean of which is what comes now
const FELL = 0.5; // of the usual bitrate, below which it has fallen
const PLAYED = ["", "H264"]; // video that browsers play; "": none has come
const HEARD = ["", "AAC", "MP3"];

/**
 * @typedef {object} Publisher what is known of it; 0 or empty where nothing is
 * @property {number} key_frame_seconds
 * @property {number} bits_per_second
 * @property {number} width
 * @property {number} height
 * @property {number} frames_per_second
 * @property {string} video_codec
 * @property {string} audio_codec
 * @property {string} encoder
 * @property {string} address
 */
/** @typedef {{ time: number, playerCount: number, bitsPerSecond: number, framesPerSecond: number }} Sample */
/** @typedef {{ limit: string, value: number, most: number, seconds: number }} Excess */
/** @typedef {"noSound" | "noVideo" | "otherVideo" | "otherAudio" | "keyFrameHint" | "bitrateFell"} Fault */

/** @param {Publisher | null} publisher */
export function showPublisher(publisher) {
  const seconds = publisher?.key_frame_seconds ?? 0;
  /** @type {Record<string, string | 0> | null} */
  const values = publisher && {
    bitrate: publisher.bits_per_second && `${Math.round(publisher.bits_per_second / 1000)} kbit/s`,
    resolution: publisher.width && `${publisher.width}×${publisher.height}`,
    fps: publisher.frames_per_second && String(Math.round(publisher.frames_per_second * 100) / 100),
    "key-frames": seconds && `${seconds.toFixed(1)} ${t("seconds")}`,
    encoder: encoderName(publisher.encoder),
    from: publisher.address,
  };
  for (const id of ["bitrate", "resolution", "fps", "key-frames", "encoder", "from"]) {
    byId(id).textContent = values?.[id] || "–";
  }
}

/**
 * Where all that is known is how they connected, encoders say they are Flash Media Live Encoder, since servers once let in
 * nothing else.
 * @param {string} said
 */
export function encoderName(said) {
  const obs = said.match(/libobs version ([\w.-]+)/);
  if (obs) return `OBS ${obs[1]}`;
  const version = said.match(/Lavf[\d.]*/);
  if (version) return `FFmpeg (${version[0]})`;
  return said.includes("FMSc/1.0") ? t("obsOrAlike") : said;
}

/**
 * @param {Publisher | null} publisher
 * @param {boolean} settled it has been on air for so long that sound and picture should be there
 * @param {Sample[]} samples of the last minutes
 * @param {Excess[]} limits that the stream is over
 */
export function showHealth(publisher, settled, samples, limits) {
  const found = publisher ? faults(publisher, settled, samples) : [];
  const lines = found.map((fault) => element("li", {}, t(fault)));
  lines.push(...limits.map((each) => element("li", {}, limitText(each.limit, each.value, each.most, each.seconds))));
  if (publisher && settled && lines.length === 0) lines.push(element("li", { className: "good" }, t("allWell")));
  const list = byId("health");
  if (list.textContent !== lines.map((line) => line.textContent).join("")) list.replaceChildren(...lines);
}

/**
 * @param {Publisher} publisher
 * @param {boolean} settled
 * @param {Sample[]} samples
 * @returns {Fault[]}
 */
function faults(publisher, settled, samples) {
  const { video_codec: video, audio_codec: audio } = publisher;
  /** @type {[Fault, boolean][]} */
  const all = [
    ["noVideo", settled && !video && !publisher.width],
    ["noSound", settled && !audio],
    ["otherVideo", !PLAYED.includes(video) || (!video && publisher.width > 0)],
    ["otherAudio", !HEARD.includes(audio)],
    ["keyFrameHint", publisher.key_frame_seconds > FAR_APART],
    ["bitrateFell", hasFallen(samples)],
  ];
  return all.filter(([, is]) => is).map(([fault]) => fault);
}

/** @param {Sample[]} samples */
function hasFallen(samples) {
  const bits = samples.map((sample) => sample.bitsPerSecond).filter((each) => each > 0);
  if (bits.length < FEW) return false;
  const usual = bits.slice(0, -LATEST).sort((one, other) => one - other)[Math.floor((bits.length - LATEST) / 2)];
  const now = bits.slice(-LATEST).reduce((sum, each) => sum + each, 0) / LATEST;
  return now < FELL * usual;
}
