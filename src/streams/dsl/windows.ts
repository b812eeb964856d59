import { TopologyError } from '../topology/topology-error.ts';
import { wholeNumber, wholeOrEndless } from './check-number.ts';

function check(holds: boolean, message: string): void {
  if (!holds) throw new TopologyError(message);
}

export function graceOf(graceMs: number): number {
  return wholeOrEndless(graceMs, 'the grace of windows in milliseconds', 0);
}

/** Tumbling windows [start, start + size), or hopping ones with `advanceBy`. Aligned to the epoch. */
export class TimeWindows {
  /** @internal */
  readonly kind = 'time';
  readonly sizeMs: number;
  readonly advanceMs: number;
  readonly graceMs: number;

  private constructor(sizeMs: number, advanceMs: number, graceMs: number) {
    this.sizeMs = wholeNumber(sizeMs, 'the size of windows in milliseconds', 1);
    this.advanceMs = wholeNumber(advanceMs, 'what windows advance by, in milliseconds,', 1);
    this.graceMs = graceOf(graceMs);
    check(advanceMs <= sizeMs, 'windows advance at most by their size');
  }

  static ofSizeAndGrace(sizeMs: number, graceMs: number): TimeWindows {
    return new TimeWindows(sizeMs, sizeMs, graceMs);
  }

  static ofSizeWithNoGrace(sizeMs: number): TimeWindows {
    return new TimeWindows(sizeMs, sizeMs, 0);
  }

  advanceBy(advanceMs: number): TimeWindows {
    return new TimeWindows(this.sizeMs, advanceMs, this.graceMs);
  }
}

/** One window for ever: all records from a time on. */
export class UnlimitedWindows {
  /** @internal */
  readonly kind = 'unlimited';
  readonly startMs: number;

  private constructor(startMs: number) {
    this.startMs = wholeNumber(startMs, 'the start of an unlimited window in milliseconds', 0);
  }

  static of(): UnlimitedWindows {
    return new UnlimitedWindows(0);
  }

  startOn(startMs: number): UnlimitedWindows {
    return new UnlimitedWindows(startMs);
  }
}

/** Windows [t - difference, t], made by the records (KIP-450). */
export class SlidingWindows {
  /** @internal */
  readonly kind = 'sliding';
  readonly differenceMs: number;
  readonly graceMs: number;

  private constructor(differenceMs: number, graceMs: number) {
    this.differenceMs = wholeNumber(differenceMs, 'the time difference of windows in milliseconds', 0);
    this.graceMs = graceOf(graceMs);
  }

  static ofTimeDifferenceAndGrace(differenceMs: number, graceMs: number): SlidingWindows {
    return new SlidingWindows(differenceMs, graceMs);
  }

  static ofTimeDifferenceWithNoGrace(differenceMs: number): SlidingWindows {
    return new SlidingWindows(differenceMs, 0);
  }
}

/** Sessions: records of a key no further apart than the gap. */
export class SessionWindows {
  /** @internal */
  readonly kind = 'session';
  readonly gapMs: number;
  readonly graceMs: number;

  private constructor(gapMs: number, graceMs: number) {
    this.gapMs = wholeNumber(gapMs, 'the gap of sessions in milliseconds', 1);
    this.graceMs = graceOf(graceMs);
  }

  static ofInactivityGapAndGrace(gapMs: number, graceMs: number): SessionWindows {
    return new SessionWindows(gapMs, graceMs);
  }

  static ofInactivityGapWithNoGrace(gapMs: number): SessionWindows {
    return new SessionWindows(gapMs, 0);
  }
}

/** A right record joins a left one at t when it lies in [t - before, t + after]. */
export class JoinWindows {
  readonly beforeMs: number;
  readonly afterMs: number;
  readonly graceMs: number;

  private constructor(beforeMs: number, afterMs: number, graceMs: number) {
    this.beforeMs = wholeNumber(beforeMs, 'how far a join window reaches back, in milliseconds,', -Infinity);
    this.afterMs = wholeNumber(afterMs, 'how far a join window reaches on, in milliseconds,', -Infinity);
    this.graceMs = graceOf(graceMs);
    check(beforeMs + afterMs >= 0, 'a join window cannot end before it begins');
  }

  static ofTimeDifferenceAndGrace(differenceMs: number, graceMs: number): JoinWindows {
    return new JoinWindows(differenceMs, differenceMs, graceMs);
  }

  static ofTimeDifferenceWithNoGrace(differenceMs: number): JoinWindows {
    return new JoinWindows(differenceMs, differenceMs, 0);
  }

  before(beforeMs: number): JoinWindows {
    return new JoinWindows(beforeMs, this.afterMs, this.graceMs);
  }

  after(afterMs: number): JoinWindows {
    return new JoinWindows(this.beforeMs, afterMs, this.graceMs);
  }
}

export interface BufferBound {
  readonly recordsMax?: number;
  /** Bytes of keys, values (the row before a change too) and headers, as they are written. */
  readonly bytesMax?: number;
}

interface SuppressedOptions extends BufferBound {
  /** What happens when the buffer is full: the oldest goes out early, or the application stops. */
  readonly whenFull?: 'emit' | 'shut-down';
  readonly name?: string;
  /** False: the buffer has no changelog. */
  readonly logging?: boolean;
}

/** How long a suppression holds changes back. */
export class Suppressed {
  readonly until: 'window-close' | 'time-limit';
  readonly waitMs: number;
  readonly options: SuppressedOptions;

  private constructor(until: 'window-close' | 'time-limit', waitMs: number, options: SuppressedOptions) {
    const { recordsMax = Infinity, bytesMax = Infinity } = options;
    this.until = until;
    this.waitMs = wholeOrEndless(waitMs, 'how long a suppression waits, in milliseconds,', 0);
    this.options = {
      ...options,
      recordsMax: wholeOrEndless(recordsMax, 'the recordsMax of a suppression', 0),
      bytesMax: wholeOrEndless(bytesMax, 'the bytesMax of a suppression', 0),
    };
  }

  /** Windowed tables: one change a window, when it has closed. Never early, so a bound shuts down when it is full. */
  static untilWindowCloses(options: Omit<SuppressedOptions, 'whenFull'> = {}): Suppressed {
    return new Suppressed('window-close', 0, { ...options, whenFull: 'shut-down' });
  }

  /** At most one change a key in `waitMs` of stream time. */
  static untilTimeLimit(waitMs: number, options: SuppressedOptions = {}): Suppressed {
    return new Suppressed('time-limit', waitMs, options);
  }
}
