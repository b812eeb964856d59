import type { Clock } from '../../common/clock.ts';

/** An event for one waiter. Notified while nobody waits, it lets the next wait pass at once. */
export class Signal {
  #notified = false;
  #wake: (() => void) | undefined;

  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Resolves when notified, or after `timeoutMs`. */
  wait(clock?: Clock, timeoutMs?: number): Promise<void> {
    return new Promise((resolve) => {
      let cancel: (() => void) | undefined;
      const done = (): void => {
        cancel?.();
        this.#wake = undefined;
        this.#notified = false;
        resolve();
      };
      if (this.#notified) return done();
      this.#wake = done;
      if (clock !== undefined && timeoutMs !== undefined) cancel = clock.setTimer(timeoutMs, done);
    });
  }
}
