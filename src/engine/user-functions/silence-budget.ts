import type { Clock } from '../../common/clock.ts';

/**
 * How long functions may be waited for in vain: a token bucket for each. A function may cost `burstMs` at once and
 * `msPerSecond` from then on; in between it is not called, so that one whose every call loops cannot hold the event loop.
 */
export class SilenceBudget {
  readonly #clock: Clock;
  readonly #burstMs: number;
  readonly #msPerSecond: number;
  /** By function: milliseconds that it may still cost, and when that was reckoned. Only those that cost something lately. */
  readonly #left = new Map<number | string, { ms: number; at: number }>();

  constructor(clock: Clock, limits: { burstMs: number; msPerSecond: number }) {
    this.#clock = clock;
    this.#burstMs = limits.burstMs;
    this.#msPerSecond = limits.msPerSecond;
  }

  /** Milliseconds until the function may be called again; 0: now. */
  restMs(key: number | string): number {
    if (this.#left.size === 0) return 0;
    const leftMs = this.#leftMs(key);
    return leftMs > 0 ? 0 : Math.ceil(((1 - leftMs) * 1000) / this.#msPerSecond);
  }

  spend(key: number | string, ms: number): void {
    this.#left.set(key, { ms: this.#leftMs(key) - ms, at: this.#clock.monotonic() });
  }

  forget(key: number | string): void {
    this.#left.delete(key);
  }

  #leftMs(key: number | string): number {
    const left = this.#left.get(key);
    if (left === undefined) return this.#burstMs;
    const ms = left.ms + ((this.#clock.monotonic() - left.at) * this.#msPerSecond) / 1000;
    if (ms < this.#burstMs) return ms;
    this.#left.delete(key);
    return this.#burstMs;
  }
}
