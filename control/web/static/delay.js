/* How far a picture is behind its encoder. Segments are named by the time at which the server began to write them, in
   milliseconds, and its answers tell the server's time. */

const HEARD = 20; // answers: their times have no parts of a second, and the best of some is nearly right
const MEASURED = 8; // segments that a bitrate is taken from

export class Delay {
  /** @type {number[]} milliseconds that the server's clock is at least ahead of this one */
  #ahead = [];
  /** @type {{ bits: number, seconds: number }[]} */
  #sizes = [];
  /** @type {HlsFragment | null} */
  #shown = null;

  /** @param {unknown} answer of the server: where it is an XMLHttpRequest, its time is used */
  heard(answer) {
    const date = answer instanceof XMLHttpRequest ? Date.parse(answer.getResponseHeader("Date") ?? "") : NaN;
    if (Number.isNaN(date)) return;
    this.#ahead.push(date - Date.now());
    if (this.#ahead.length > HEARD) this.#ahead.shift();
  }

  /** @param {HlsFragment} frag */
  loaded(frag) {
    this.#sizes.push({ bits: frag.stats.total * 8, seconds: frag.duration });
    if (this.#sizes.length > MEASURED) this.#sizes.shift();
  }

  /** @param {HlsFragment} frag whose picture is to be seen now */
  shown(frag) {
    this.#shown = frag;
  }

  /** Bits a second; 0: not known. */
  get bitrate() {
    const seconds = this.#sizes.reduce((sum, size) => sum + size.seconds, 0);
    return seconds && this.#sizes.reduce((sum, size) => sum + size.bits, 0) / seconds;
  }

  /**
   * Seconds; null: not known.
   * @param {number} position in the picture, in seconds
   */
  of(position) {
    const began = Number(this.#shown?.url.match(/(\d+)\.ts$/)?.[1]);
    if (!this.#shown || !began || !this.#ahead.length) return null;
    const now = Date.now() + Math.max(...this.#ahead);
    return Math.max(0, (now - began) / 1000 - (position - this.#shown.start));
  }
}
