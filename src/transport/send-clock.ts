/**
 * The time that a back end has for its answer. It stands still for as long as anybody else is waited for: the client that sends a body,
 * or that does not take one.
 */
export class SendClock {
  /** On the `performance.now()` clock, while it runs. */
  #deadline: number;
  /** ms; while it stands still. */
  #left: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #expire: (() => void) | undefined;

  constructor(ms: number) {
    this.#deadline = performance.now() + ms;
  }

  /** ms. */
  get left(): number {
    return this.#left ?? Math.max(0, this.#deadline - performance.now());
  }

  /** From now on somebody is told when the time is over; only the last one who asked. */
  arm(expire: () => void): void {
    clearTimeout(this.#timer);
    this.#expire = expire;
    if (this.#left === undefined) this.#timer = setTimeout(expire, this.left);
  }

  disarm(): void {
    clearTimeout(this.#timer);
    this.#expire = undefined;
  }

  /** Without effect when it does so already. */
  run(): void {
    if (this.#left === undefined) return;
    this.#deadline = performance.now() + this.#left;
    this.#left = undefined;
    if (this.#expire) this.arm(this.#expire);
  }

  /** Without effect when it does so already. */
  standStill(): void {
    if (this.#left !== undefined) return;
    this.#left = this.left;
    clearTimeout(this.#timer);
  }
}
