import { nextTurn } from './clock.ts';

/** Short work is looked at when it has come to this much. */
const SHORT_WORK_MS = 50;

/**
 * How long the present turn of the event loop has been held up by code that waits for another thread, or works long for
 * one record. There is one loop in a process, so there is one of these: work that holds the loop says so with `hold`, and
 * work on many records ends its share of the turn early when it reads `held`.
 */
class EventLoop {
  /** Somebody has held this turn up: what works through records looks at its deadline after each of them. */
  held = false;
  /** Milliseconds of this turn that went to long waits, and to short work that does not end. */
  heldMs = 0;
  /** Milliseconds of short work in this turn since `#usage` was last taken, and how many of them do not count. */
  #shortMs = 0;
  #freeMs = 0;
  /** The process's CPU time when it was last taken; undefined before that. */
  #usage: NodeJS.CpuUsage | undefined;

  hold(ms: number): void {
    this.heldMs += ms;
    if (this.held) return;
    this.held = true;
    void nextTurn().then(() => {
      this.held = false;
      this.heldMs = 0;
      this.#shortMs = 0;
      this.#freeMs = 0;
      this.#usage = undefined;
    });
  }

  /**
   * Work for one record that is short but may come a hundred thousand times: together it holds the turn up as one long
   * wait does. `freeMs` of it is what such work costs anyhow, and does not count. Of the rest the processor time that
   * went by counts, as far as the work can have taken it; asking for that costs more than most of the work, so it is
   * asked for from time to time.
   */
  addShort(ms: number, freeMs: number): void {
    this.#shortMs += ms;
    this.#freeMs += freeMs;
    if (this.#shortMs < SHORT_WORK_MS) return;
    const { user, system } = process.cpuUsage(this.#usage);
    const workedMs = this.#usage === undefined ? 0 : Math.min(this.#shortMs, (user + system) / 1000);
    this.hold(Math.max(0, workedMs - this.#freeMs));
    this.#shortMs = 0;
    this.#freeMs = 0;
    this.#usage = process.cpuUsage();
  }
}

export const eventLoop = new EventLoop();
