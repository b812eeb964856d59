import { nextTurn } from './clock.ts';

/**
 * How long the present turn of the event loop has been held up by code that waits for another thread, or works long for
 * one record. There is one loop in a process, so there is one of these: whoever holds the loop says so with `hold`, and
 * whoever goes through many records ends its share of the turn early when it reads `held`.
 */
class EventLoop {
  /** Somebody has held this turn up: what works through records looks at its deadline after each of them. */
  held = false;
  /** Milliseconds of this turn that went to single long waits. */
  heldMs = 0;

  hold(ms: number): void {
    this.heldMs += ms;
    if (this.held) return;
    this.held = true;
    void nextTurn().then(() => {
      this.held = false;
      this.heldMs = 0;
    });
  }
}

export const eventLoop = new EventLoop();
