/* What the pages' scripts find around them. */

type Hls = typeof import("hls.js").default;
type UPlot = typeof import("uplot");
type PlotOptions = import("uplot").Options;
type HlsError = import("hls.js").ErrorData;

interface Window {
  /** From vendor/hls.light.min.js, where it could be loaded. */
  Hls?: Hls;
  /** From vendor/uPlot.iife.min.js, likewise. */
  uPlot?: UPlot;
}

/** The elements that are asked for more than any HTMLElement has, by id; a test compares them with the pages. */
interface Elements {
  again: HTMLButtonElement;
  "again-form": HTMLFormElement;
  broadcasts: HTMLTableElement;
  change: HTMLFormElement;
  confirm: HTMLButtonElement;
  create: HTMLFormElement;
  gate: HTMLInputElement;
  "is-open": HTMLInputElement;
  key: HTMLInputElement;
  last: HTMLImageElement;
  "login-form": HTMLFormElement;
  modify: HTMLFormElement;
  "new-password": HTMLInputElement;
  "new-pwd": HTMLDialogElement;
  "new-pwd-form": HTMLFormElement;
  password: HTMLFormElement;
  "plot-box": HTMLDialogElement;
  qr: HTMLImageElement;
  "qr-box": HTMLDetailsElement;
  "register-form": HTMLFormElement;
  search: HTMLFormElement;
  server: HTMLInputElement;
  rules: HTMLFormElement;
  "rules-box": HTMLDetailsElement;
  session: HTMLDialogElement;
  video: HTMLVideoElement;
  watch: HTMLAnchorElement;
  write: HTMLFormElement;
}
