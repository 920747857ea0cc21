/* What the pages' scripts find around them. */

type Hls = typeof import("hls.js").default;
type UPlot = typeof import("uplot");
type PlotOptions = import("uplot").Options;
type HlsError = import("hls.js").ErrorData;
type HlsFragment = import("hls.js").Fragment;

interface Window {
  /** From choices.js: "theme" is "", "light" or "dark", "language" is "", "zh" or "en". */
  choices: { of(name: string): string; keep(name: string, value: string): void; show(): void };
  /** From vendor/hls.light.min.js, where it could be loaded. */
  Hls?: Hls;
  /** From vendor/uPlot.iife.min.js, likewise. */
  uPlot?: UPlot;
}

/** The elements that are asked for more than any HTMLElement has, by id; a test compares them with the pages. */
interface Elements {
  again: HTMLButtonElement;
  "again-form": HTMLFormElement;
  "api-filter": HTMLInputElement;
  broadcasts: HTMLTableElement;
  "by-message": HTMLInputElement;
  "by-push": HTMLInputElement;
  change: HTMLFormElement;
  code: HTMLFormElement;
  confirm: HTMLButtonElement;
  create: HTMLFormElement;
  crop: HTMLCanvasElement;
  cut: HTMLFormElement;
  delete: HTMLFormElement;
  file: HTMLInputElement;
  find: HTMLFormElement;
  "forgot-form": HTMLFormElement;
  gate: HTMLInputElement;
  "featured-link": HTMLAnchorElement;
  "featured-picture": HTMLAnchorElement;
  "featured-video": HTMLVideoElement;
  "hls-address": HTMLInputElement;
  "hook-form": HTMLFormElement;
  "hook-secret": HTMLInputElement;
  "hook-viewers": HTMLInputElement;
  hooks: HTMLDetailsElement;
  "is-open": HTMLInputElement;
  "is-public": HTMLInputElement;
  key: HTMLInputElement;
  language: HTMLSelectElement;
  last: HTMLImageElement;
  "login-form": HTMLFormElement;
  modify: HTMLFormElement;
  names: HTMLFormElement;
  others: HTMLDetailsElement;
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
  "share-link": HTMLInputElement;
  "share-code": HTMLImageElement;
  share: HTMLDialogElement;
  span: HTMLSelectElement;
  "rtmp-address": HTMLInputElement;
  rules: HTMLFormElement;
  "rules-box": HTMLDetailsElement;
  session: HTMLDialogElement;
  theme: HTMLSelectElement;
  video: HTMLVideoElement;
  volume: HTMLInputElement;
  watch: HTMLAnchorElement;
  write: HTMLFormElement;
  zoom: HTMLInputElement;
}
