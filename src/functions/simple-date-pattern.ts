import { DataError } from '../common/error.ts';
import { daysOf } from '../types/temporal.ts';
import { cachedByText } from './cached-by-text.ts';
import { dayOfWeek } from './calendar.ts';
import { quotedText } from './quoted-text.ts';
import { DAYS, HALVES, MONTHS } from './time-letters.ts';
import { instantOf, longZoneNames, openTimeZone, UTC, zoneByName, type TimeZone } from './time-zone.ts';

/**
 * The pattern language of PARSE_DATE, which is that of `SimpleDateFormat` as Apache's `FastDateFormat` reads it: numbers
 * may be shorter or longer than their letters unless another number follows at once, blanks before them are skipped,
 * what exceeds a month or year counts on (February 30 is March 1 or 2), days before 1582-10-15 are Julian, and text after
 * what the pattern needs is left alone.
 */
export interface SimpleDatePattern {
  /** Milliseconds since the epoch. Throws `DataError`. */
  parse(text: string): number;
}

interface Read {
  year?: number;
  era?: number;
  month?: number;
  day?: number;
  dayOfYear?: number;
  week?: number;
  /** Sunday is 0. */
  weekday?: number;
  /** Which of day, day of year and week was read last: it counts. */
  dayBy?: 'month' | 'year' | 'week';
  hour?: number;
  half?: number;
  hourOfHalf?: number;
  hourBy?: 'day' | 'half';
  minute?: number;
  second?: number;
  milli?: number;
  zone?: TimeZone;
}

/** Reads at a position and gives the next one, or -1. */
type Reader = (text: string, at: number, read: Read) => number;

interface Part {
  /** How the number is kept; for these the width matters if another number follows. */
  readonly number?: (read: Read, value: number) => void;
  readonly width: number;
  readonly reader?: Reader;
}

const DAY_MS = 86_400_000;

/** Compiles a pattern, or gives it from the cache. Throws `DataError` for a pattern that is none. */
export const openSimpleDatePattern: (pattern: string) => SimpleDatePattern = cachedByText(compile);

function compile(pattern: string): SimpleDatePattern {
  const parts = partsOf(pattern);
  const readers = parts.map(({ number, width, reader }, i): Reader => {
    if (number === undefined) return reader!;
    return numberReader(number, parts[i + 1]?.number === undefined ? 0 : width);
  });
  return {
    parse(text) {
      const read: Read = {};
      let at = 0;
      for (const reader of readers) {
        at = reader(text, at, read);
        if (at < 0)
          throw new DataError(
            `${JSON.stringify(text.slice(0, 60))} does not follow the date pattern ${pattern}`,
          );
      }
      return instantOf(localMs(read), read.zone ?? UTC);
    },
  };
}

function partsOf(pattern: string): Part[] {
  const parts: Part[] = [];
  let at = 0;
  while (at < pattern.length) {
    const letter = pattern[at]!;
    let end = at;
    if (/[A-Za-z]/.test(letter)) {
      while (pattern[end] === letter) end++;
      parts.push(letterPart(letter, end - at, pattern));
    } else {
      let text = '';
      while (end < pattern.length && !/[A-Za-z]/.test(pattern[end]!)) {
        if (pattern[end] === "'") {
          const quoted = quotedText(pattern, end, 'date');
          text += quoted.text;
          end = quoted.next;
        } else text += pattern[end++];
      }
      parts.push({
        width: text.length,
        reader: (input, from) => (input.startsWith(text, from) ? from + text.length : -1),
      });
    }
    at = end;
  }
  return parts;
}

/** `width` 0: as many digits as there are, after any blanks. */
function numberReader(keep: Part['number'] & {}, width: number): Reader {
  return (text, at, read) => {
    let start = at;
    if (width === 0) while (/\s/.test(text[start] ?? '')) start++;
    const last = width === 0 ? text.length : Math.min(text.length, start + width);
    let end = start;
    while (end < last && text.charCodeAt(end) >= 48 && text.charCodeAt(end) <= 57) end++;
    const value = Number(text.slice(start, end));
    if (end === start || value > 0x7fff_ffff) return -1;
    keep(read, value);
    return end;
  };
}

function wordReader(list: readonly string[], keep: (read: Read, index: number) => void): Reader {
  const lower = list.map((word) => word.toLowerCase());
  return (text, at, read) => {
    const rest = text.slice(at, at + 20).toLowerCase();
    const full = lower.findIndex((word) => rest.startsWith(word));
    const found = full >= 0 ? full : lower.findIndex((word) => rest.startsWith(word.slice(0, 3)));
    if (found < 0) return -1;
    keep(read, found);
    return at + (full >= 0 ? lower[found]!.length : 3);
  };
}

/**
 * Years of two digits are those from here on. `SimpleDateFormat` counts from 80 years before today; the same text should
 * mean the same date next year.
 */
const FIRST_SHORT_YEAR = 1945;

function centuryOf(year: number): number {
  return year + 1900 >= FIRST_SHORT_YEAR ? year + 1900 : year + 2000;
}

function letterPart(letter: string, width: number, pattern: string): Part {
  const number = (keep: Part['number'] & {}): Part => ({ number: keep, width });
  const words = (list: readonly string[], keep: (read: Read, index: number) => void): Part => ({
    width,
    reader: wordReader(list, keep),
  });
  switch (letter) {
    case 'G':
      return words(['BC', 'AD'], (read, index) => (read.era = index));
    case 'y':
    case 'Y':
      return number((read, value) => {
        read.year = width <= 2 && value < 100 ? centuryOf(value) : value;
      });
    case 'M':
      return width >= 3
        ? words(MONTHS, (read, index) => (read.month = index + 1))
        : number((read, value) => (read.month = value));
    case 'd':
      return number((read, value) => {
        read.day = value;
        read.dayBy = 'month';
      });
    case 'D':
      return number((read, value) => {
        read.dayOfYear = value;
        read.dayBy = 'year';
      });
    case 'w':
      return number((read, value) => {
        read.week = value;
        read.dayBy = 'week';
      });
    case 'E':
      return words(DAYS, (read, index) => (read.weekday = (index + 1) % 7));
    case 'u':
      return number((read, value) => (read.weekday = value % 7));
    case 'W':
    case 'F':
      // Which week of the month: said beside the day.
      return number(() => {});
    case 'a':
      return words(HALVES, (read, index) => {
        read.half = index;
        read.hourBy = 'half';
      });
    case 'H':
    case 'k':
      return number((read, value) => {
        read.hour = letter === 'k' && value === 24 ? 0 : value;
        read.hourBy = 'day';
      });
    case 'K':
    case 'h':
      return number((read, value) => {
        read.hourOfHalf = letter === 'h' && value === 12 ? 0 : value;
        read.hourBy = 'half';
      });
    case 'm':
      return number((read, value) => (read.minute = value));
    case 's':
      return number((read, value) => (read.second = value));
    case 'S':
      return number((read, value) => (read.milli = value));
    case 'X':
      if (width > 3) throw new DataError(`the date pattern ${pattern} has too many letters X`);
      return { width, reader: offsetReader(OFFSETS[width]!) };
    case 'Z':
      if (width === 2) return { width, reader: offsetReader(OFFSETS[3]!) };
      return { width, reader: zoneReader };
    case 'z':
      return { width, reader: zoneReader };
    default:
      throw new DataError(`the date pattern ${pattern} has the letter ${letter}, which stands for nothing`);
  }
}

const OFFSETS: readonly RegExp[] = [/(?!)/y, /Z|[+-]\d{2}/y, /Z|[+-]\d{4}/y, /Z|[+-]\d{2}:\d{2}/y];

function offsetReader(pattern: RegExp): Reader {
  return (text, at, read) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null) return -1;
    read.zone = openTimeZone(match[0]);
    return at + match[0].length;
  };
}

const ZONE = /[+-]\d{4}|GMT[+-]\d{1,2}:\d{2}|[A-Z]{1,5}(?![A-Z])/iy;

const zoneReader: Reader = (text, at, read) => {
  const rest = text.slice(at, at + 60).toLowerCase();
  const long = longZoneNames().find(([name]) => rest.startsWith(name));
  if (long !== undefined) {
    read.zone = long[1];
    return at + long[0].length;
  }
  ZONE.lastIndex = at;
  const match = ZONE.exec(text);
  if (match === null) return -1;
  read.zone = zoneByName(match[0].toUpperCase());
  return at + match[0].length;
};

/** The first Gregorian day, 1582-10-15. */
const GREGORIAN_DAYS = -141_427;

/** Days since the epoch of a date whose month and day may be any numbers. */
function calendarDays(year: number, month: number, day: number): number {
  const months = year * 12 + month - 1;
  const y = Math.floor(months / 12);
  const m = months - y * 12 + 1;
  const days = daysOf(y, m, 1) + day - 1;
  return days >= GREGORIAN_DAYS ? days : julianDays(y, m, day);
}

function julianDays(year: number, month: number, day: number): number {
  const shifted = month <= 2 ? year - 1 : year;
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1;
  return shifted * 365 + Math.floor(shifted / 4) + dayOfYear - 719_470;
}

function localMs(read: Read): number {
  let year = read.year ?? 1970;
  if (read.era === 0) year = 1 - year;
  if (year > 270_000) throw new DataError(`the year ${year} is out of range`);
  let days: number;
  if (read.dayBy === 'year') days = calendarDays(year, 1, read.dayOfYear!);
  else if (read.dayBy === 'week') {
    const first = calendarDays(year, 1, 1);
    days = first - (dayOfWeek(first) % 7) + (read.week! - 1) * 7 + (read.weekday ?? 0);
  } else days = calendarDays(year, read.month ?? 1, read.day ?? 1);
  const hour = read.hourBy === 'half' ? (read.hourOfHalf ?? 0) + (read.half ?? 0) * 12 : (read.hour ?? 0);
  const seconds = (hour * 60 + (read.minute ?? 0)) * 60 + (read.second ?? 0);
  return days * DAY_MS + seconds * 1000 + (read.milli ?? 0);
}
