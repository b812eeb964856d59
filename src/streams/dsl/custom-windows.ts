import { instantOf, openTimeZone } from '../../functions/time-zone.ts';
import { isTime, shown } from '../topology/record-time.ts';
import { wholeNumber } from './check-number.ts';
import { given, plain } from './user-function.ts';
import { graceOf } from './windows.ts';
import type { Window } from '../topology/windowed.ts';

const DAY_MS = 86_400_000;

export interface CustomWindowsOptions {
  /**
   * The windows [start, end) that a record of this time takes part in, by start. Windows of one start are one window: they
   * end alike.
   */
  readonly windowsFor: (timestamp: number) => readonly Window[];
  /** How long a window is at most. */
  readonly sizeMs: number;
  /** How much later than a window's end, in stream time, records may come. Default 0. */
  readonly graceMs?: number;
}

/**
 * Windows that a function names for each record, where those of one size do not fit: days of a time zone, weeks, billing
 * periods. In topics a windowed key has its window's start alone: a reader says how long windows are by
 * `lengthFrom`, in the place of a size.
 *
 * ```ts
 * orders.groupByKey().windowedBy(CustomWindows.days('Europe/Berlin')).count();
 * ```
 */
export class CustomWindows {
  /** @internal */
  readonly kind = 'custom';
  readonly windowsFor: (timestamp: number) => readonly Window[];
  readonly sizeMs: number;
  readonly graceMs: number;

  private constructor({ windowsFor, sizeMs, graceMs = 0 }: CustomWindowsOptions) {
    plain(windowsFor, 'windowsFor');
    this.sizeMs = wholeNumber(sizeMs, 'the size of windows in milliseconds', 1);
    this.graceMs = graceOf(graceMs);
    this.windowsFor = (timestamp) => {
      const windows = given(windowsFor(timestamp), 'windowsFor');
      for (const { start, end } of windows)
        if (!isTime(start) || !isTime(end) || end <= start || end - start > sizeMs)
          throw new TypeError(
            `windowsFor(${timestamp}) gave a window from ${shown(start)} to ${shown(end)}: ` +
              `it takes whole milliseconds, at most ${sizeMs} of them`,
          );
      return windows;
    };
  }

  static of(options: CustomWindowsOptions): CustomWindows {
    return new CustomWindows(options);
  }

  /** Calendar days of a time zone, `Europe/Berlin` say; 23 or 25 hours long where the clocks change. */
  static days(timeZone: string, graceMs = 0): CustomWindows {
    const zone = openTimeZone(timeZone);
    let last: Window = { start: 0, end: 0 };
    const windowsFor = (timestamp: number): readonly Window[] => {
      if (timestamp >= last.start && timestamp < last.end) return [last];
      const midnight = Math.floor((timestamp + zone.offsetAt(timestamp)) / DAY_MS) * DAY_MS;
      const start = Math.max(0, instantOf(midnight, zone));
      last = { start, end: instantOf(midnight + DAY_MS, zone) };
      return [last];
    };
    // No zone has moved its clocks by more than a day.
    return new CustomWindows({ windowsFor, sizeMs: 2 * DAY_MS, graceMs });
  }

  /** How long the window is that starts there; `sizeMs` where none does. */
  readonly lengthFrom = (start: number): number => {
    const window = this.windowsFor(start).find((each) => each.start === start);
    return window === undefined ? this.sizeMs : window.end - start;
  };
}
