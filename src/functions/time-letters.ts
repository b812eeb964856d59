import { DataError } from '../common/error.ts';
import { daysOf } from '../types/temporal.ts';
import { dayOfWeek, weekOf, weekOfMonth, JULIAN_DAY_OF_EPOCH, DAY_PERIODS, dayPeriodOf } from './calendar.ts';
import type { NumberField, TimeFields } from './time-fields.ts';
import { longZoneNames, UTC, zoneByName, type TimeZone } from './time-zone.ts';

/** What the letters of a time pattern print and read: those of java.time's `DateTimeFormatter`, for English. */

/** A point in time as a clock on the wall shows it. */
export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  /** Days since the epoch. */
  readonly days: number;
  /** Milliseconds of the day. */
  readonly millis: number;
  readonly epochMs: number;
  readonly zone: TimeZone;
}

export interface PatternPart {
  readonly print: (local: LocalTime) => string;
  /** Reads at a position; gives the next position, or -1. `reserved`: digits that following numbers need. */
  readonly read: (text: string, at: number, fields: TimeFields, reserved: number) => number;
  /** The digits of a number of fixed width, for the numbers before it. */
  readonly width?: number;
  /** A number that takes as many digits as there are. */
  readonly greedy?: boolean;
}

export const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July',
  'August', 'September', 'October', 'November', 'December',
]; // prettier-ignore
export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
export const HALVES = ['AM', 'PM'];
const QUARTERS = ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter'];
const ERAS = { short: ['BC', 'AD'], full: ['Before Christ', 'Anno Domini'], narrow: ['B', 'A'] };

/** The letters that need a date, a time of day, or a zone. */
export const DATE_LETTERS = 'GuyDMLQqYwWEecdFg';
export const TIME_LETTERS = 'ahKkHmsSAnNB';
export const ZONE_LETTERS = 'VvzOXxZ';

/** Reads up to `max` digits (at least `min`), sign allowed if `signed`. */
function readNumber(
  text: string,
  at: number,
  min: number,
  max: number,
  signed: boolean,
): { value: number; end: number } | null {
  let start = at;
  const sign = signed && (text[at] === '-' || text[at] === '+') ? text[at] : '';
  if (sign !== '') start++;
  let end = start;
  while (end < text.length && end - start < max && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57)
    end++;
  if (end - start < min) return null;
  const value = Number(text.slice(start, end));
  return { value: sign === '-' ? -value : value, end };
}

const TWO_DIGITS = Array.from({ length: 100 }, (_, value) => String(value).padStart(2, '0'));

function pad(value: number, width: number): string {
  if (width === 2 && value >= 0 && value < 100) return TWO_DIGITS[value]!;
  if (width === 4 && value >= 1000 && value < 10_000) return `${value}`;
  return value < 0 ? `-${String(-value).padStart(width, '0')}` : String(value).padStart(width, '0');
}

/** A number: one letter takes as many digits as there are, more take exactly as many as letters, or up to `max`. */
function number(
  field: NumberField,
  count: number,
  get: (local: LocalTime) => number,
  max: number = count,
): PatternPart {
  const open = count === 1 || max > count;
  return {
    ...(open ? { greedy: true } : { width: count }),
    print: (local) => pad(get(local), count),
    read(text, at, fields, reserved) {
      const limit = count === 1 ? 19 : max;
      const most = open && reserved > 0 ? Math.max(1, digitsAt(text, at) - reserved) : limit;
      const found = readNumber(text, at, count, most, false);
      if (found === null) return -1;
      fields[field] = found.value;
      return found.end;
    },
  };
}

function digitsAt(text: string, at: number): number {
  let end = at;
  while (text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
  return end - at;
}

function year(field: NumberField, count: number, get: (local: LocalTime) => number): PatternPart {
  if (count === 2)
    return {
      width: 2,
      print: (local) => pad(Math.abs(get(local)) % 100, 2),
      read(text, at, fields) {
        const found = readNumber(text, at, 2, 2, false);
        if (found === null) return -1;
        fields[field] = 2000 + found.value;
        return found.end;
      },
    };
  return {
    greedy: true,
    print(local) {
      const value = get(local);
      // More digits than the pattern pads to get a sign, so that they can be read back.
      return count >= 4 && value >= 10 ** count ? `+${value}` : pad(value, count);
    },
    read(text, at, fields, reserved) {
      const signed = text[at] === '-' || text[at] === '+';
      const digits = digitsAt(text, signed ? at + 1 : at);
      let max = Math.max(1, digits - reserved);
      if (count >= 4 && !signed) max = Math.min(max, count);
      const found = readNumber(text, at, count, max, true);
      if (found === null) return -1;
      fields[field] = found.value;
      return found.end;
    },
  };
}

function words(
  field: NumberField,
  list: readonly string[],
  first: number,
  get: (local: LocalTime) => number,
): PatternPart {
  const lower = list.map((word) => word.toLowerCase());
  return {
    print: (local) => list[get(local) - first]!,
    read(text, at, fields) {
      let best = -1;
      for (let i = 0; i < lower.length; i++) {
        const word = lower[i]!;
        if (text.slice(at, at + word.length).toLowerCase() !== word) continue;
        if (best < 0 || word.length > lower[best]!.length) best = i;
      }
      if (best < 0) return -1;
      fields[field] = best + first;
      return at + lower[best]!.length;
    },
  };
}

/** Full, three-letter or one-letter forms of words. */
function text(
  field: NumberField,
  list: readonly string[],
  count: number,
  first: number,
  get: (local: LocalTime) => number,
): PatternPart {
  const shape = count === 4 ? list : list.map((word) => (count === 5 ? word.slice(0, 1) : word.slice(0, 3)));
  return words(field, shape, first, get);
}

function fraction(count: number): PatternPart {
  return {
    width: count,
    print: (local) =>
      String(local.millis % 1000)
        .padStart(3, '0')
        .padEnd(count, '0')
        .slice(0, count),
    read(input, at, fields) {
      const found = readNumber(input, at, count, count, false);
      if (found === null) return -1;
      fields['milli'] = Math.floor(Number(input.slice(at, found.end).padEnd(3, '0').slice(0, 3)));
      return found.end;
    },
  };
}

function yearOfEra(local: LocalTime): number {
  return local.year > 0 ? local.year : 1 - local.year;
}

/** An offset: minutes and seconds (of local mean time) as the letters ask, with or without colons. */
function offset(style: {
  colon: boolean;
  minutes: 'always' | 'needed';
  seconds: boolean;
  zero: string;
}): PatternPart {
  return {
    print(local) {
      const total = Math.trunc(local.zone.offsetAt(local.epochMs) / 1000);
      if (total === 0 && style.zero !== '') return style.zero;
      const size = Math.abs(total);
      const minutes = Math.floor(size / 60) % 60;
      const hours = pad(Math.floor(size / 3600), 2);
      const tail =
        style.minutes === 'always' || minutes !== 0 ? `${style.colon ? ':' : ''}${pad(minutes, 2)}` : '';
      const seconds = style.seconds && size % 60 !== 0 ? `${style.colon ? ':' : ''}${pad(size % 60, 2)}` : '';
      return `${total < 0 ? '-' : '+'}${hours}${tail}${seconds}`;
    },
    read(input, at, fields) {
      if (
        style.zero !== '' &&
        input.slice(at, at + style.zero.length).toLowerCase() === style.zero.toLowerCase()
      ) {
        fields.zone = UTC;
        return at + style.zero.length;
      }
      const match = /^[+-](\d{2})(?::?(\d{2}))?(?::?(\d{2}))?/.exec(input.slice(at, at + 9));
      if (match === null || (style.minutes === 'always' && match[2] === undefined)) return -1;
      fields.zone = zoneByName(match[0]);
      return at + match[0].length;
    },
  };
}

const ZONE_TEXT =
  /^(?:[A-Za-z][A-Za-z0-9~/._]*(?:[+-]\d{1,2}(?::?\d{2})?|-[A-Za-z_]+)*|[+-]\d{2}(?::?\d{2})?)/;

function zone(print: (local: LocalTime) => string): PatternPart {
  return {
    print,
    read(input, at, fields) {
      const rest = input.slice(at, at + 60).toLowerCase();
      if (rest.includes(' ')) {
        const long = longZoneNames().find(([name]) => rest.startsWith(name));
        if (long !== undefined) {
          fields.zone = long[1];
          return at + long[0].length;
        }
      }
      const match = ZONE_TEXT.exec(input.slice(at, at + 60));
      if (match === null) return -1;
      fields.zone = zoneByName(match[0]);
      return at + match[0].length;
    },
  };
}

function localizedOffset(count: number): PatternPart {
  const inner = offset({ colon: true, minutes: count === 4 ? 'always' : 'needed', seconds: true, zero: '' });
  return {
    print(local) {
      const total = local.zone.offsetAt(local.epochMs);
      if (total === 0) return 'GMT';
      const printed = inner.print(local);
      return `GMT${count === 4 ? printed : printed.replace(/^([+-])0/, '$1')}`;
    },
    read(input, at, fields) {
      const match = /^GMT(?:[+-]\d{1,2}(?::\d{2})?)?/i.exec(input.slice(at, at + 10));
      if (match === null) return -1;
      fields.zone = zoneByName(match[0].toUpperCase());
      return at + match[0].length;
    },
  };
}

/** The part that `count` times a letter stands for. Throws `DataError` for letters and counts that mean nothing. */
export function letterPart(letter: string, count: number, pattern: string): PatternPart {
  const hour = (local: LocalTime): number => Math.floor(local.millis / 3_600_000);
  const limit = (max: number): void => {
    if (count > max) throw new DataError(`the time pattern ${pattern} has too many letters ${letter}`);
  };
  switch (letter) {
    case 'G':
      limit(5);
      return words('era', count === 4 ? ERAS.full : count === 5 ? ERAS.narrow : ERAS.short, 0, (local) =>
        local.year > 0 ? 1 : 0,
      );
    case 'u':
      return year('year', count, (local) => local.year);
    case 'y':
      return year('yearOfEra', count, yearOfEra);
    case 'Y':
      return year('weekYear', count, (local) => weekOf(local).year);
    case 'w':
      limit(2);
      return number('week', count, (local) => weekOf(local).week);
    case 'D':
      limit(3);
      return number('dayOfYear', count, (local) => local.days - daysOf(local.year, 1, 1) + 1, 3);
    case 'M':
    case 'L':
      limit(5);
      if (count >= 3) return text('month', MONTHS, count, 1, (local) => local.month);
      return number('month', count, (local) => local.month);
    case 'Q':
    case 'q': {
      limit(5);
      const quarter = (local: LocalTime): number => Math.floor((local.month - 1) / 3) + 1;
      if (count === 3) return words('quarter', ['Q1', 'Q2', 'Q3', 'Q4'], 1, quarter);
      if (count >= 4) return words('quarter', count === 4 ? QUARTERS : ['1', '2', '3', '4'], 1, quarter);
      return number('quarter', count, quarter);
    }
    case 'd':
      limit(2);
      return number('day', count, (local) => local.day);
    case 'E':
      limit(5);
      return text('weekday', DAYS, Math.max(count, 3), 1, (local) => dayOfWeek(local.days));
    case 'e':
    case 'c':
      limit(5);
      if (count >= 3) return text('weekday', DAYS, count, 1, (local) => dayOfWeek(local.days));
      return number('localWeekday', count, (local) => (dayOfWeek(local.days) % 7) + 1);
    case 'F':
      limit(1);
      return number('weekdayOfMonth', count, (local) => ((local.day - 1) % 7) + 1);
    case 'W':
      limit(1);
      return number('weekOfMonth', count, weekOfMonth);
    case 'g':
      return number('modifiedJulianDay', count, (local) => local.days + JULIAN_DAY_OF_EPOCH, 19);
    case 'B':
      if (count !== 1 && count < 4) limit(1);
      limit(5);
      return words(
        'dayPeriod',
        DAY_PERIODS.map(({ name, narrow }) => (count === 5 ? narrow : name)),
        0,
        (local) => dayPeriodOf(Math.floor(local.millis / 60_000)),
      );
    case 'a':
      limit(1);
      return words('half', HALVES, 0, (local) => (hour(local) < 12 ? 0 : 1));
    case 'h':
      limit(2);
      return number('hour12', count, (local) => ((hour(local) + 11) % 12) + 1);
    case 'K':
      limit(2);
      return number('hour11', count, (local) => hour(local) % 12);
    case 'k':
      limit(2);
      return number('hour24', count, (local) => (hour(local) === 0 ? 24 : hour(local)));
    case 'H':
      limit(2);
      return number('hour', count, hour);
    case 'm':
      limit(2);
      return number('minute', count, (local) => Math.floor(local.millis / 60_000) % 60);
    case 's':
      limit(2);
      return number('second', count, (local) => Math.floor(local.millis / 1000) % 60);
    case 'S':
      limit(9);
      return fraction(count);
    case 'A':
      limit(19);
      return number('milliOfDay', count, (local) => local.millis, 19);
    case 'n':
      limit(19);
      return number('nano', count, (local) => (local.millis % 1000) * 1_000_000, 19);
    case 'N':
      limit(19);
      return number('nanoOfDay', count, (local) => local.millis * 1_000_000, 19);
    case 'V':
      if (count !== 2) throw new DataError(`the time pattern ${pattern} needs two letters V`);
      return zone((local) => local.zone.id);
    case 'v':
      if (count !== 1 && count !== 4)
        throw new DataError(`the time pattern ${pattern} needs one or four letters v`);
      return zone((local) => local.zone.nameAt(local.epochMs, count === 4 ? 'longGeneric' : 'shortGeneric'));
    case 'z':
      limit(4);
      return zone((local) => local.zone.nameAt(local.epochMs, count === 4 ? 'long' : 'short'));
    case 'O':
      if (count !== 1 && count !== 4)
        throw new DataError(`the time pattern ${pattern} needs one or four letters O`);
      return localizedOffset(count);
    case 'X':
    case 'x': {
      limit(5);
      const zero = letter === 'X' ? 'Z' : '';
      return offset({
        colon: count === 3 || count === 5,
        minutes: count === 1 ? 'needed' : 'always',
        seconds: count > 3,
        zero,
      });
    }
    case 'Z':
      limit(5);
      if (count === 4) return localizedOffset(4);
      return offset({
        colon: count === 5,
        minutes: 'always',
        seconds: count === 5,
        zero: count === 5 ? 'Z' : '',
      });
    default:
      throw new DataError(`the time pattern ${pattern} has the letter ${letter}, which stands for nothing`);
  }
}
