import { civilOf, daysOf } from '../types/temporal.ts';

/** Weeks and parts of the day, as time patterns name them. Days count from 1970-01-01. */

/** Monday is 1. */
export function dayOfWeek(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

/** Week and year of weeks that begin on Sunday, the first one holding January 1st: those of the United States. */
export function weekOf(local: { readonly days: number }): { week: number; year: number } {
  const weekday = dayOfWeek(local.days) % 7;
  const saturday = local.days + 6 - weekday;
  const { year: weekYear } = civilOf(saturday);
  const firstOfYear = daysOf(weekYear, 1, 1);
  const firstSunday = firstOfYear - (dayOfWeek(firstOfYear) % 7);
  return { week: Math.floor((local.days - firstSunday) / 7) + 1, year: weekYear };
}

/** By weeks that begin on Sunday. */
export function weekOfMonth(local: { readonly days: number; readonly day: number }): number {
  const first = dayOfWeek(local.days - local.day + 1) % 7;
  return Math.floor((local.day - 1 + first) / 7) + 1;
}

/** The Modified Julian Day of 1970-01-01. */
export const JULIAN_DAY_OF_EPOCH = 40_587;

export interface DayPeriod {
  readonly name: string;
  readonly narrow: string;
  /** Minutes of the day, the second one not included. */
  readonly from: number;
  readonly to: number;
}

/** The parts of a day in American English (CLDR). */
export const DAY_PERIODS: readonly DayPeriod[] = [
  { name: 'midnight', narrow: 'mi', from: 0, to: 1 },
  { name: 'noon', narrow: 'n', from: 720, to: 721 },
  { name: 'in the morning', narrow: 'in the morning', from: 360, to: 720 },
  { name: 'in the afternoon', narrow: 'in the afternoon', from: 720, to: 1080 },
  { name: 'in the evening', narrow: 'in the evening', from: 1080, to: 1260 },
  { name: 'at night', narrow: 'at night', from: 1260, to: 1800 },
];

/** The position of the period that a minute of the day is in. */
export function dayPeriodOf(minute: number): number {
  return DAY_PERIODS.findIndex(({ from, to }) =>
    [minute, minute + 1440].some((each) => from <= each && each < to),
  );
}
