/* What the pages' scripts find around them. */

type Hls = typeof import("hls.js").default;
type HlsError = import("hls.js").ErrorData;

interface Window {
  /** From vendor/hls.light.min.js, where it could be loaded. */
  Hls?: Hls;
}

/** The elements that are asked for more than any HTMLElement has, by id; a test compares them with the pages. */
interface Elements {
  again: HTMLButtonElement;
  "again-form": HTMLFormElement;
  broadcasts: HTMLTableElement;
  change: HTMLFormElement;
  confirm: HTMLButtonElement;
  create: HTMLFormElement;
  "is-open": HTMLInputElement;
  key: HTMLInputElement;
  last: HTMLImageElement;
  "login-form": HTMLFormElement;
  modify: HTMLFormElement;
  "new-password": HTMLInputElement;
  password: HTMLFormElement;
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
