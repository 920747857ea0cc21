/* A square cut out of a picture. It is moved by mouse, finger or arrow keys, and zoomed by a slider, the wheel, two
   fingers, or + and -. */

const STEP = 0.05; // of the square, by which an arrow key moves it
const CLOSER = 1.1; // by which one key or one notch of a wheel zooms
/** @type {Record<string, [number, number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
/** @type {Record<string, number>} */
const ZOOMS = { "+": CLOSER, "=": CLOSER, "-": 1 / CLOSER };

/** @typedef {{ x: number, y: number }} Point */

export class Crop {
  /** @type {ImageBitmap | null} */
  #picture = null;
  /** The middle of the square, in the picture's pixels. */
  #middle = { x: 0, y: 0 };
  /** @type {Map<number, Point>} fingers, or the mouse, where they are down */
  #pointers = new Map();
  #canvas;
  #zoom;

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {HTMLInputElement} zoom a slider: 1 for the largest square there is in the picture
   */
  constructor(canvas, zoom) {
    this.#canvas = canvas;
    this.#zoom = zoom;
    zoom.addEventListener("input", () => this.#draw());
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.#pointers.set(event.pointerId, at(event));
    });
    canvas.addEventListener("pointermove", (event) => this.#drag(event));
    for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
      canvas.addEventListener(end, (event) => this.#pointers.delete(event.pointerId));
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.#zoomBy(event.deltaY < 0 ? CLOSER : 1 / CLOSER);
    });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  /**
   * Throws where the browser can make no picture of the file.
   * @param {Blob} file
   */
  async open(file) {
    const picture = await createImageBitmap(file);
    this.#picture?.close();
    this.#picture = picture;
    this.#middle = { x: picture.width / 2, y: picture.height / 2 };
    this.#zoom.value = "1";
    this.#draw();
  }

  /** The square as a data: URL. */
  cut() {
    return this.#canvas.toDataURL("image/jpeg", 0.9);
  }

  /** Of the square, in the picture's pixels. */
  get #side() {
    return this.#picture ? Math.min(this.#picture.width, this.#picture.height) / Number(this.#zoom.value) : 0;
  }

  #draw() {
    const context = this.#canvas.getContext("2d");
    if (!this.#picture || !context) return;
    const { width, height } = this.#picture;
    const side = this.#side;
    const half = side / 2;
    this.#middle.x = Math.min(Math.max(this.#middle.x, half), width - half);
    this.#middle.y = Math.min(Math.max(this.#middle.y, half), height - half);
    const { width: whole } = this.#canvas;
    context.fillStyle = "#fff"; // behind what can be seen through
    context.fillRect(0, 0, whole, whole);
    context.imageSmoothingQuality = "high";
    context.drawImage(this.#picture, this.#middle.x - half, this.#middle.y - half, side, side, 0, 0, whole, whole);
  }

  /**
   * @param {number} x of the square's side
   * @param {number} y
   */
  #move(x, y) {
    this.#middle.x += x * this.#side;
    this.#middle.y += y * this.#side;
    this.#draw();
  }

  /** @param {number} factor */
  #zoomBy(factor) {
    this.#zoom.value = String(Number(this.#zoom.value) * factor);
    this.#draw();
  }

  /** @param {PointerEvent} event */
  #drag(event) {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = at(event);
    this.#pointers.set(event.pointerId, now);
    const shown = this.#canvas.clientWidth;
    const share = 1 / this.#pointers.size; // of what moves by two fingers, each moves half
    this.#move(((before.x - now.x) * share) / shown, ((before.y - now.y) * share) / shown);
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) this.#zoomBy(distance(now, other) / Math.max(1, distance(before, other)));
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const arrow = ARROWS[event.key];
    const zoom = ZOOMS[event.key];
    if (!arrow && !zoom) return;
    event.preventDefault();
    if (arrow) this.#move(arrow[0] * STEP, arrow[1] * STEP);
    else this.#zoomBy(zoom);
  }
}

/**
 * @param {PointerEvent} event
 * @returns {Point}
 */
function at(event) {
  return { x: event.clientX, y: event.clientY };
}

/**
 * @param {Point} one
 * @param {Point} other
 */
function distance(one, other) {
  return Math.hypot(one.x - other.x, one.y - other.y);
}
