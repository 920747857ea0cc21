/* Keeps a player near what is live: one that has fallen behind plays a little faster, or jumps where that would take long. */

const BEHIND = 6; // seconds behind the encoder from which a player hurries
const LATE = 1; // seconds later than it means to be, below which it would run out of what there is
const CAUGHT_UP = 0.25; // likewise, where it need not hurry any more
const AHEAD = 1; // seconds that lie ready: with less it is the link that is slow
const FASTER = 1.1; // speech and music sound the same

/**
 * @typedef {object} Pursuer
 * @property {number} behind seconds behind the encoder
 * @property {number} late seconds later than it means to be
 * @property {number} tooLate of those, from which it jumps
 * @property {() => void} toLive jumps
 */

export class Pursuit {
  /** A viewer who goes back is left there. */
  rests = false;

  /**
   * @param {HTMLVideoElement} video
   * @param {Pursuer} player
   */
  constructor(video, player) {
    this.video = video;
    this.player = player;
  }

  /** To be called whenever the picture has moved on. */
  look() {
    const { video, player } = this;
    if (video.paused) return;
    if (this.rests) return this.#at(1);
    if (player.late > player.tooLate) {
      player.toLive();
      this.#at(1);
    } else if (player.late < CAUGHT_UP || ahead(video) < AHEAD) {
      this.#at(1);
    } else if (player.behind > BEHIND && player.late > LATE) {
      this.#at(FASTER);
    }
  }

  /** @param {number} rate */
  #at(rate) {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }
}

/**
 * Seconds that lie ready to be played.
 * @param {HTMLVideoElement} video
 */
export function ahead({ buffered, currentTime }) {
  for (let index = 0; index < buffered.length; index += 1) {
    if (buffered.start(index) <= currentTime + 0.1 && buffered.end(index) >= currentTime) return buffered.end(index) - currentTime;
  }
  return 0;
}
