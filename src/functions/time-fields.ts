import { DataError } from '../common/error.ts';
import { civilOf, daysOf, daysOfMonth } from '../types/temporal.ts';
import { dayOfWeek, dayPeriodOf, JULIAN_DAY_OF_EPOCH, weekOfMonth } from './calendar.ts';
import type { TimeZone } from './time-zone.ts';

/** From the fields that were read to a date and a time of day, as java.time's SMART resolver goes. */

export type NumberField =
  | 'era'
  | 'year'
  | 'yearOfEra'
  | 'weekYear'
  | 'quarter'
  | 'month'
  | 'week'
  | 'weekOfMonth'
  | 'weekday'
  | 'localWeekday'
  | 'weekdayOfMonth'
  | 'day'
  | 'dayOfYear'
  | 'modifiedJulianDay'
  | 'half'
  | 'dayPeriod'
  | 'hour'
  | 'hour24'
  | 'hour12'
  | 'hour11'
  | 'minute'
  | 'second'
  | 'milli'
  | 'nano'
  | 'milliOfDay'
  | 'nanoOfDay';

/** Fields as they are read. */
export type TimeFields = { [field in NumberField]?: number } & { zone?: TimeZone };

const DAY_MS = 86_400_000;

/** Milliseconds of the local time that the fields make; what is missing is that of 1970-01-01T00:00. */
export function resolveDateTime(fields: TimeFields, input: string): number {
  return daysFrom(fields, input) * DAY_MS + millisFrom(fields, input);
}

/** Days since 1970-01-01. Throws `DataError` when the fields are no whole date. */
export function resolveDate(fields: TimeFields, input: string): number {
  const year = fields.year ?? fields.yearOfEra;
  const isWhole =
    fields.modifiedJulianDay !== undefined ||
    (year !== undefined &&
      (fields.dayOfYear !== undefined || (fields.month !== undefined && fields.day !== undefined))) ||
    (fields.weekYear !== undefined &&
      fields.week !== undefined &&
      (fields.weekday ?? fields.localWeekday) !== undefined);
  if (!isWhole) throw new DataError(`${shown(input)} is not a whole date`);
  return daysFrom(fields, input);
}

/** Milliseconds of the day. Throws `DataError` when the fields have no hour, or skip the minute or second. */
export function resolveTime(fields: TimeFields, input: string): number {
  const { minute, second } = fields;
  const fraction = fields.nano ?? fields.milli;
  const hasHour =
    (fields.hour ?? fields.hour24 ?? fields.milliOfDay ?? fields.nanoOfDay) !== undefined ||
    ((fields.hour12 ?? fields.hour11) !== undefined && (fields.half ?? fields.dayPeriod) !== undefined);
  const hasGap =
    (minute === undefined && (second !== undefined || fraction !== undefined)) ||
    (second === undefined && fraction !== undefined);
  if (!hasHour || hasGap) throw new DataError(`${shown(input)} is not a time of day`);
  return millisFrom(fields, input) % DAY_MS;
}

function shown(input: string): string {
  return JSON.stringify(input.slice(0, 60));
}

/** The field's value, or the fallback when there is none. */
function get(
  fields: TimeFields,
  field: NumberField,
  low: number,
  high: number,
  fallback: number,
  input: string,
): number {
  const value = fields[field];
  if (value === undefined) return fallback;
  if (value < low || value > high)
    throw new DataError(`${shown(input)} has a part that no date or time has (${value})`);
  return value;
}

function daysFrom(fields: TimeFields, input: string): number {
  if (fields.modifiedJulianDay !== undefined) return fields.modifiedJulianDay - JULIAN_DAY_OF_EPOCH;
  if (fields.yearOfEra !== undefined) get(fields, 'yearOfEra', 1, 270_000, 1, input);
  let year = fields.year ?? fields.yearOfEra ?? fields.weekYear ?? 1970;
  if (fields.era === 0) year = 1 - year;
  if (Math.abs(year) > 270_000) throw new DataError(`the year ${year} is out of range`);
  if (fields.dayOfYear !== undefined) {
    const last = daysOf(year + 1, 1, 1) - daysOf(year, 1, 1);
    return daysOf(year, 1, get(fields, 'dayOfYear', 1, last, 1, input));
  }
  if (fields.week !== undefined) {
    const firstOfYear = daysOf(year, 1, 1);
    const firstSunday = firstOfYear - (dayOfWeek(firstOfYear) % 7);
    const weekday =
      fields.weekday === undefined
        ? get(fields, 'localWeekday', 1, 7, 1, input) - 1
        : get(fields, 'weekday', 1, 7, 7, input) % 7;
    return firstSunday + (get(fields, 'week', 1, 53, 1, input) - 1) * 7 + weekday;
  }
  const quarterMonth = (get(fields, 'quarter', 1, 4, 1, input) - 1) * 3 + 1;
  const month = get(fields, 'month', 1, 12, quarterMonth, input);
  const day = get(fields, 'day', 1, 31, 1, input);
  // Days that a month lacks become its last one.
  const days = daysOf(year, month, Math.min(day, daysOfMonth(year, month)));
  if (fields.month !== undefined && fields.day !== undefined) checkDate(fields, days, input);
  return days;
}

/** The other fields of a date must agree with it. Throws `DataError`. */
function checkDate(fields: TimeFields, days: number, input: string): void {
  const { month, day } = civilOf(days);
  const weekday = dayOfWeek(days);
  const agrees = (field: NumberField, value: number): boolean =>
    fields[field] === undefined || fields[field] === value;
  if (
    !agrees('weekday', weekday) ||
    !agrees('localWeekday', (weekday % 7) + 1) ||
    !agrees('quarter', Math.floor((month - 1) / 3) + 1) ||
    !agrees('weekdayOfMonth', ((day - 1) % 7) + 1) ||
    !agrees('weekOfMonth', weekOfMonth({ days, day }))
  )
    throw new DataError(`${shown(input)} has parts of different dates`);
}

function millisFrom(fields: TimeFields, input: string): number {
  if (fields.milliOfDay !== undefined) return get(fields, 'milliOfDay', 0, DAY_MS - 1, 0, input);
  if (fields.nanoOfDay !== undefined)
    return Math.floor(get(fields, 'nanoOfDay', 0, DAY_MS * 1e6 - 1, 0, input) / 1e6);
  const hour = hourFrom(fields, input);
  const minute = get(fields, 'minute', 0, 59, 0, input);
  const second = get(fields, 'second', 0, 59, 0, input);
  const milli =
    fields.nano === undefined
      ? (fields.milli ?? 0)
      : Math.floor(get(fields, 'nano', 0, 999_999_999, 0, input) / 1e6);
  const millis = hour * 3_600_000 + minute * 60_000 + second * 1000 + milli;
  if (millis > DAY_MS) throw new DataError(`${shown(input)} has a time of day beyond 24:00`);
  return millis;
}

function hourFrom(fields: TimeFields, input: string): number {
  const half = get(fields, 'half', 0, 1, 0, input);
  let hour: number;
  if (fields.hour24 !== undefined) hour = get(fields, 'hour24', 0, 24, 24, input) % 24;
  else if (fields.hour !== undefined) hour = get(fields, 'hour', 0, 24, 0, input);
  else {
    const ofHalf =
      fields.hour12 === undefined
        ? get(fields, 'hour11', 0, 11, 0, input)
        : get(fields, 'hour12', 0, 12, 12, input) % 12;
    if (fields.half !== undefined || fields.dayPeriod === undefined) return ofHalf + half * 12;
    const minute = fields.minute ?? 0;
    const found = [ofHalf, ofHalf + 12].find((each) => dayPeriodOf(each * 60 + minute) === fields.dayPeriod);
    if (found === undefined) throw new DataError(`${shown(input)} has an hour of another part of the day`);
    return found;
  }
  if (fields.half !== undefined && Math.floor((hour % 24) / 12) !== half)
    throw new DataError(`${shown(input)} has an hour of the other half of the day`);
  return hour;
}
