/* Plays a live stream over HLS and stays with it. Whatever goes wrong is tried again after pauses that grow, so that a
   page asks no more than twice a second, and it catches up with the stream when it has fallen behind. */

const FIRST_PAUSE = 500; // milliseconds
const LONGEST_PAUSE = 8000;
const LONGEST_NATIVE = 2000; // a browser does not say whether a playlist was not there yet
const NOT_YET = 1000; // the longest pause while there is no playlist, which a broadcast's first segment brings
const GOOD = 5; // seconds that have to be played for pauses to begin anew
const MANY = 4; // failures in a row after which the viewer is told, after some 4 seconds
const REPAIRS = 2; // of a decoder that failed, before a new player is made
const PLAYERS = 2; // that may be made anew before it is given up
const BEHIND = 6; // seconds behind where it should be after which the player jumps there
const BEHIND_NATIVE = 12; // behind the last segment, where the browser does not say how far it means to be behind

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
  #isTroubled = false;

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
  }

  #open() {
    const { Events } = this.Hls;
    // The page allows no workers from blobs, and a live playlist of a second's segments is little work.
    const hls = new this.Hls({ enableWorker: false, liveSyncDurationCount: 2, fragLoadPolicy: SEGMENTS });
    hls.on(Events.MANIFEST_PARSED, () => this.on.playlist());
    hls.on(Events.LEVEL_UPDATED, (_, { details }) => this.#catchUp(Math.max(BEHIND, 1.5 * details.targetduration)));
    hls.on(Events.FRAG_CHANGED, () => this.#plays());
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
    this.#catchUp(0); // what could not be had may be gone
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

  #plays() {
    if (this.#isTroubled) this.on.playlist();
    this.#isTroubled = false;
  }

  /** @param {number} behind seconds */
  #catchUp(behind) {
    const position = this.hls.liveSyncPosition;
    if (position && !this.video.paused && position - this.video.currentTime > behind) this.video.currentTime = position;
  }

  destroy() {
    this.network.end();
    this.media.end();
    this.hls.destroy();
  }
}

/** By the browser itself. */
class NativePlayer {
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
    video.addEventListener("timeupdate", () => this.#catchUp(), { signal });
    this.#open();
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

  #catchUp() {
    const { seekable, currentTime } = this.video;
    const end = seekable.length ? seekable.end(seekable.length - 1) : 0;
    if (end - currentTime > BEHIND_NATIVE) this.video.currentTime = end;
  }

  destroy() {
    this.#gone.abort();
    this.patience.end();
  }
}
