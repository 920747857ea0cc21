/* Plays a live stream over HLS and stays with it. Whatever goes wrong is tried again after pauses that grow, so that a
   page asks no more than twice a second, and it catches up with the stream when it has fallen behind. */

import { Pursuit } from "./pursuit.js";
import { Delay } from "./delay.js";

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 8000;
const LONGEST_NATIVE = 2000; // a browser does not say whether a playlist was not there yet
const NOT_YET = 1000; // the longest pause while there is no playlist, which a broadcast's first segment brings
const GOOD = 5; // seconds that have to be played for pauses to begin anew
const MANY = 4; // failures in a row after which the viewer is told, after some 4 seconds
const REPAIRS = 2; // of a decoder that failed, before a new player is made
const PLAYERS = 2; // that may be made anew before it is given up
const TOO_LATE = 6; // seconds later than it means to be after which the player jumps
const NATIVE = 5; // seconds behind the last segment that are taken for what a browser means to be, which it does not say
const TOO_LATE_NATIVE = 7;

// hls.js would try a segment again for up to half a minute, with a black picture. Here pauses grow in one place.
const ONCE_MORE = { maxNumRetry: 1, retryDelayMs: 1000, maxRetryDelayMs: 1000 };
const SEGMENTS = {
  default: { maxTimeToFirstByteMs: 8000, maxLoadTimeMs: 60_000, timeoutRetry: ONCE_MORE, errorRetry: ONCE_MORE },
};

/**
 * @typedef {object} Listener
 * @property {() => void} playlist there is something to play
 * @property {() => void} refused the ticket does not let in any more
 * @property {() => void} trouble it takes long
 * @property {() => void} failure nothing is tried any more
 */

/**
 * @param {HTMLVideoElement} video
 * @param {string} url
 * @param {Listener} on
 * @returns {ScriptedPlayer | NativePlayer | null} null where the browser plays no HLS
 */
export function watchStream(video, url, on) {
  if (window.Hls?.isSupported()) return new ScriptedPlayer(window.Hls, video, url, on);
  return video.canPlayType("application/vnd.apple.mpegurl") ? new NativePlayer(video, url, on) : null;
}

/** Counts failures in a row, and tries again after a pause. */
class Patience {
  count = 0;
  #played = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;

  /** @param {HTMLVideoElement} video */
  constructor(video) {
    this.video = video;
  }

  /** Of several failures at a time the first alone counts. */
  get busy() {
    return this.#timer !== undefined;
  }

  failed() {
    const now = played(this.video);
    if ((now < this.#played ? now : now - this.#played) > GOOD) this.count = 0;
    this.count += 1;
  }

  /** @param {() => void} work */
  again(work, longest = LONGEST_PAUSE) {
    const pause = Math.min(FIRST_PAUSE * 2 ** (this.count - 1), longest);
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#played = played(this.video);
      work();
    }, pause);
  }

  end() {
    clearTimeout(this.#timer);
  }
}

/**
 * Seconds that were played since the source was set, without what was jumped over.
 * @param {HTMLVideoElement} video
 */
function played({ played: ranges }) {
  let seconds = 0;
  for (let index = 0; index < ranges.length; index += 1) seconds += ranges.end(index) - ranges.start(index);
  return seconds;
}

/** By hls.js. */
class ScriptedPlayer {
  protocol = "HLS · hls.js";
  #isTroubled = false;
  #delay = new Delay();
  #gone = new AbortController();

  /**
   * @param {Hls} Hls
   * @param {HTMLVideoElement} video
   * @param {string} url
   * @param {Listener} on
   */
  constructor(Hls, video, url, on) {
    this.Hls = Hls;
    this.video = video;
    this.url = url;
    this.on = on;
    this.network = new Patience(video);
    this.media = new Patience(video);
    this.hls = this.#open();
    this.pursuit = new Pursuit(video, this);
    video.addEventListener("timeupdate", () => this.pursuit.look(), { signal: this.#gone.signal });
  }

  /** Seconds behind the encoder. */
  get behind() {
    return this.#delay.of(this.video.currentTime) ?? this.hls.latency;
  }

  get late() {
    return this.hls.latency - (this.hls.targetLatency ?? this.hls.latency);
  }

  get tooLate() {
    return Math.max(TOO_LATE, 1.5 * (this.hls.latestLevelDetails?.targetduration ?? 0));
  }

  /** Bits a second, of what came last; 0: not known. */
  get bitrate() {
    return this.#delay.bitrate;
  }

  toLive() {
    const position = this.hls.liveSyncPosition;
    if (position !== null && position > this.video.currentTime) this.video.currentTime = position;
  }

  #open() {
    const { Events } = this.Hls;
    // The page allows no workers from blobs, and a live playlist of a second's segments is little work.
    const hls = new this.Hls({ enableWorker: false, liveSyncDurationCount: 2, fragLoadPolicy: SEGMENTS });
    hls.on(Events.MANIFEST_PARSED, () => this.on.playlist());
    hls.on(Events.LEVEL_LOADED, (_, { networkDetails }) => this.#delay.heard(networkDetails));
    hls.on(Events.FRAG_LOADED, (_, { frag }) => this.#delay.loaded(frag));
    hls.on(Events.FRAG_CHANGED, (_, { frag }) => this.#plays(frag));
    hls.on(Events.ERROR, (_, error) => this.#failed(error));
    hls.loadSource(this.url);
    hls.attachMedia(this.video);
    return hls;
  }

  /** @param {HlsError} error */
  #failed(error) {
    if (error.response?.code === 403) return this.on.refused();
    if (!error.fatal) return;
    if (error.type === this.Hls.ErrorTypes.MEDIA_ERROR) this.#mediaFailed();
    else this.#networkFailed(error.response?.code === 404 ? NOT_YET : LONGEST_PAUSE);
  }

  /** @param {number} longest */
  #networkFailed(longest) {
    if (this.network.busy) return;
    this.network.failed();
    if (this.network.count >= MANY && longest !== NOT_YET) this.#tell();
    this.network.again(() => this.#load(), longest);
  }

  #load() {
    if (!this.video.paused) this.toLive(); // what could not be had may be gone
    if (this.hls.levels.length) this.hls.startLoad();
    else this.hls.loadSource(this.url);
  }

  #mediaFailed() {
    if (this.media.busy) return;
    this.media.failed();
    if (this.media.count > REPAIRS + PLAYERS) return this.on.failure();
    if (this.media.count > REPAIRS) this.#tell();
    this.hls.stopLoad();
    this.media.again(() => (this.media.count <= REPAIRS ? this.#repair() : this.#replace()));
  }

  #repair() {
    this.hls.recoverMediaError();
    this.hls.startLoad();
  }

  #replace() {
    this.hls.destroy();
    this.hls = this.#open();
  }

  #tell() {
    this.#isTroubled = true;
    this.on.trouble();
  }

  /** @param {HlsFragment} frag */
  #plays(frag) {
    this.#delay.shown(frag);
    if (this.#isTroubled) this.on.playlist();
    this.#isTroubled = false;
  }

  destroy() {
    this.#gone.abort();
    this.network.end();
    this.media.end();
    this.hls.destroy();
  }
}

/** By the browser itself. */
class NativePlayer {
  protocol = "HLS";
  bitrate = 0; // the browser does not say
  tooLate = TOO_LATE_NATIVE;
  #gone = new AbortController();

  /**
   * @param {HTMLVideoElement} video
   * @param {string} url
   * @param {Listener} on
   */
  constructor(video, url, on) {
    this.video = video;
    this.url = url;
    this.on = on;
    this.patience = new Patience(video);
    const { signal } = this.#gone;
    video.addEventListener("error", () => this.#failed(), { signal });
    video.addEventListener("loadedmetadata", () => on.playlist(), { signal });
    video.addEventListener("timeupdate", () => this.pursuit.look(), { signal });
    this.pursuit = new Pursuit(video, this);
    this.#open();
  }

  /** Seconds behind the last segment: when that was taken is not to be had. */
  get behind() {
    return this.#end - this.video.currentTime;
  }

  get late() {
    return this.behind - NATIVE;
  }

  toLive() {
    if (this.#end > this.video.currentTime) this.video.currentTime = this.#end;
  }

  get #end() {
    const { seekable, currentTime } = this.video;
    return seekable.length ? seekable.end(seekable.length - 1) : currentTime;
  }

  #open() {
    this.video.src = this.url;
    this.video.load();
  }

  #failed(status = 0) {
    if (this.patience.busy) return;
    this.patience.failed();
    if (this.patience.count >= MANY && status !== 404) this.on.trouble();
    this.patience.again(() => this.#tryAgain(), LONGEST_NATIVE);
  }

  async #tryAgain() {
    const status = await fetch(this.url, { cache: "no-store" }).then(
      (answer) => answer.status,
      () => 0,
    );
    if (this.#gone.signal.aborted) return;
    if (status === 403) this.on.refused();
    else if (status === 200) this.#open();
    else this.#failed(status);
  }

  destroy() {
    this.#gone.abort();
    this.patience.end();
  }
}
