/* Icons of the player's controls, 24 by 24. */

const SVG = "http://www.w3.org/2000/svg";
const SPEAKER = "M4 9v6h4l5 5V4L8 9H4z";

const PATHS = {
  play: "M7 4.5v15l12.5-7.5z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  soundOff: `${SPEAKER} M15.5 8.2a5 5 0 0 1 0 7.6l-1-1.2a3.4 3.4 0 0 0 0-5.2z M17.6 5.4a8.5 8.5 0 0 1 0 13.2l-1-1.3a6.8 6.8 0 0 0 0-10.6z`,
  soundOn: `${SPEAKER} M15.2 9.4l1.2-1.2 2.3 2.4 2.3-2.4 1.2 1.2-2.4 2.6 2.4 2.6-1.2 1.2-2.3-2.4-2.3 2.4-1.2-1.2 2.4-2.6z`,
  full: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  leaveFull: "M8 4h2v6H4V8h4zM14 4h2v4h4v2h-6zM4 14h6v6H8v-4H4zM14 14h6v2h-4v4h-2z",
  pip: "M3 5h18v14H3zM5 7v10h14V7zM12 11.5h6V16h-6z",
  danmaku: "M3 4h18v13H9l-4 4v-4H3zM5 6v9h14V6zM6.5 7.5h7v1.6h-7zM10 11.2h7.5v1.6H10z",
  stats: "M5 13h3v6H5zM10.5 5h3v14h-3zM16 9h3v10h-3z",
};

/** @typedef {keyof typeof PATHS} Icon */

/**
 * @param {HTMLElement} button
 * @param {Icon} icon
 */
export function draw(button, icon) {
  const picture = document.createElementNS(SVG, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[icon]);
  path.setAttribute("fill-rule", "evenodd");
  picture.append(path);
  button.querySelector("svg")?.remove();
  button.prepend(picture);
}
