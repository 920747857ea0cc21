/* Plots of a broadcast: viewers, bitrate and frames a second over time, one below the other. */

import { element } from "./common.js";
import { language, t } from "./texts.js";

const HEIGHT = 110; // pixels
const TICKS = [60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 28_800]; // seconds between two, as the width allows
const LOWEST = 1; // of the scale's upper end: what stays at 0 is drawn at its bottom

/** @typedef {import("./publisher.js").Sample} Sample */
/**
 * @typedef {object} Line
 * @property {"viewers" | "bitrate" | "fps" | "joins" | "refusals" | "callbackP99"} key of its text
 * @property {string} unit
 * @property {(number | null)[]} values null where it is not known
 */

/**
 * @param {HTMLElement} place which is filled
 * @param {Sample[]} samples two or more; nothing is drawn of fewer
 */
export function drawPlots(place, samples) {
  const times = samples.map((sample) => sample.time);
  drawLines(place, times, [
    { key: "viewers", unit: "", values: samples.map((sample) => sample.playerCount) },
    { key: "bitrate", unit: " kbit/s", values: samples.map((sample) => Math.round(sample.bitsPerSecond / 1000) || null) },
    { key: "fps", unit: "", values: samples.map((sample) => sample.framesPerSecond || null) },
  ]);
}

/**
 * @param {HTMLElement} place which is filled
 * @param {number[]} times seconds since the epoch; two or more, nothing is drawn of fewer
 * @param {Line[]} lines with a value for each
 */
export function drawLines(place, times, lines) {
  const Plot = window.uPlot;
  if (!Plot || times.length < 2) return place.replaceChildren();
  const boxes = lines.map((line) => element("figure", {}, element("figcaption", {}, summary(line))));
  place.replaceChildren(...boxes);
  lines.forEach((line, number) => new Plot(options(line, place.clientWidth), [times, line.values], boxes[number]));
}

/**
 * What the picture shows, for who does not see it.
 * @param {Line} line
 */
function summary({ key, unit, values }) {
  const last = values[values.length - 1] ?? "–";
  return `${t(key)}: ${last}${unit} · ${t("most")} ${Math.max(...values.map(Number))}${unit}`;
}

/**
 * @param {Line} line
 * @param {number} width pixels
 * @returns {PlotOptions}
 */
function options(line, width) {
  const style = getComputedStyle(document.documentElement);
  const axis = { stroke: style.getPropertyValue("--soft"), grid: { stroke: style.getPropertyValue("--line"), width: 1 } };
  const accent = style.getPropertyValue("--accent");
  /** @param {number} seconds */
  const time = (seconds) => new Date(seconds * 1000).toLocaleTimeString(language, { timeStyle: "short" });
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), Math.max(LOWEST, high * 1.1)] } },
    axes: [{ ...axis, space: 70, incrs: TICKS, values: (_, ticks) => ticks.map(time) }, { ...axis, size: 56 }],
    series: [{}, { label: t(line.key), stroke: accent, fill: `color-mix(in srgb, ${accent} 15%, transparent)`, width: 2 }],
  };
}
