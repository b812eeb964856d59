import { DataError } from '../common/error.ts';

/**
 * ISO text of DATE (days since 1970-01-01), TIME (milliseconds of the day) and TIMESTAMP (milliseconds since the epoch),
 * both ways, in the proleptic Gregorian calendar and UTC. No zone rules here: a zone in a text is an offset.
 */

const DAY_MS = 86_400_000;

/** Days since 1970-01-01 of a date whose month is 1-12; the day may be any number. */
export function daysOf(year: number, month: number, day: number): number {
  // Years begin in March, so that a leap day is the last day of a year (H. Hinnant, "chrono-compatible date algorithms").
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
}

/** Year, month (1-12) and day (1-31) of days since 1970-01-01. */
export function civilOf(days: number): { year: number; month: number; day: number } {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra -
      Math.floor(dayOfEra / 1460) +
      Math.floor(dayOfEra / 36_524) -
      Math.floor(dayOfEra / 146_096)) /
      365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9;
  return {
    year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1,
  };
}

/** How many days a month (1-12) has. */
export function daysOfMonth(year: number, month: number): number {
  return daysOf(month === 12 ? year + 1 : year, month === 12 ? 1 : month + 1, 1) - daysOf(year, month, 1);
}

/** `2020-02-29`; years beyond 9999 with a plus sign. */
export function dateText(days: number): string {
  const { year, month, day } = civilOf(days);
  return `${yearText(year)}-${pad(month, 2)}-${pad(day, 2)}`;
}

/** `10:15:04`, or `10:15` when the seconds are zero: what ksqlDB shows, which drops milliseconds. */
export function timeText(millisOfDay: number): string {
  const seconds = Math.floor(millisOfDay / 1000) % 60;
  const minutes = pad(Math.floor(millisOfDay / 60_000) % 60, 2);
  const hours = pad(Math.floor(millisOfDay / 3_600_000), 2);
  return seconds === 0 ? `${hours}:${minutes}` : `${hours}:${minutes}:${pad(seconds, 2)}`;
}

/** `2020-02-29T10:15:04.123`, in UTC, always with milliseconds. */
export function timestampText(epochMs: number): string {
  const days = Math.floor(epochMs / DAY_MS);
  const rest = epochMs - days * DAY_MS;
  const hours = pad(Math.floor(rest / 3_600_000), 2);
  const minutes = pad(Math.floor(rest / 60_000) % 60, 2);
  const seconds = pad(Math.floor(rest / 1000) % 60, 2);
  return `${dateText(days)}T${hours}:${minutes}:${seconds}.${pad(rest % 1000, 3)}`;
}

const DATE_PATTERN = /^([+-]?\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2}))?)?$/;
const TIME_PATTERN = /^(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?$/;
const TIMESTAMP_PATTERN =
  /^([+-]?\d{4,6}(?:-\d{1,2}){0,2})(?:T(?:(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d{1,9}))?)?)?)?(Z|[+-]\d{2}(?::?\d{2})?)?)?$/;

/** Reads `2020`, `2020-02` or `2020-02-29`; what is left out is the first. Throws `DataError`. */
export function parseDate(text: string): number {
  const days = readDate(text.trim());
  if (days === undefined) throw new DataError(`${JSON.stringify(text)} is not a date (yyyy-MM-dd)`);
  return days;
}

/** Reads `10:15`, `10:15:04` or `10:15:04.123`. Throws `DataError`. */
export function parseTime(text: string): number {
  const match = TIME_PATTERN.exec(text.trim());
  const millis = match === null ? undefined : readTime(match[1], match[2], match[3], match[4]);
  if (millis === undefined)
    throw new DataError(`${JSON.stringify(text)} is not a time of day (HH:mm:ss.SSS)`);
  return millis;
}

/**
 * Reads an ISO date-time of which any tail may be missing (`2020`, `2020-02-29T10`, `2020-02-29T10:15:04.123`), with an
 * optional offset after the time (`Z`, `+0100`, `-05:30`); UTC without one. Digits beyond milliseconds are dropped.
 * Throws `DataError`.
 */
export function parseTimestamp(text: string): number {
  const match = TIMESTAMP_PATTERN.exec(text.trim());
  if (match !== null) {
    const days = readDate(match[1]!);
    // The end of a day, as ISO 8601 may write it.
    const isEnd = match[2] === '24' && ![match[3], match[4], match[5]].some((part) => Number(part ?? 0) > 0);
    const millis = isEnd ? DAY_MS : readTime(match[2], match[3], match[4], match[5]);
    const offset = readOffset(match[6]);
    if (days !== undefined && millis !== undefined && offset !== undefined)
      return days * DAY_MS + millis - offset;
  }
  throw new DataError(`${JSON.stringify(text)} is not a timestamp (yyyy-MM-ddTHH:mm:ss.SSS)`);
}

function readDate(text: string): number | undefined {
  const match = DATE_PATTERN.exec(text);
  if (match === null) return undefined;
  const year = Number(match[1]);
  const month = Number(match[2] ?? 1);
  const day = Number(match[3] ?? 1);
  if (month < 1 || month > 12 || day < 1 || day > daysOfMonth(year, month)) return undefined;
  return daysOf(year, month, day);
}

function readTime(
  hourText: string | undefined,
  minuteText: string | undefined,
  secondText: string | undefined,
  fractionText: string | undefined,
): number | undefined {
  const hour = Number(hourText ?? 0);
  const minute = Number(minuteText ?? 0);
  const second = Number(secondText ?? 0);
  const millis = Number((fractionText ?? '').slice(0, 3).padEnd(3, '0'));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  return ((hour * 60 + minute) * 60 + second) * 1000 + millis;
}

function readOffset(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const hours = Number(text.slice(1, 3));
  const minutes = text.length > 3 ? Number(text.slice(-2)) : 0;
  if (hours > 18 || minutes > 59) return undefined;
  const millis = (hours * 60 + minutes) * 60_000;
  return text.startsWith('-') ? -millis : millis;
}

function yearText(year: number): string {
  if (year > 9999) return `+${year}`;
  return year < 0 ? `-${pad(-year, 4)}` : pad(year, 4);
}

function pad(value: number, width: number): string {
  return String(value).padStart(width, '0');
}
