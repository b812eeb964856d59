import { DataError } from '../common/error.ts';
import { civilOf, daysOf, daysOfMonth } from '../types/temporal.ts';
import { UTC, zoneByName, type TimeZone } from './time-zone.ts';

/**
 * Patterns in the language of java.time's `DateTimeFormatter` (`yyyy-MM-dd'T'HH:mm:ss.SSSX`), for English: compiled once, then
 * used to print and to read. Reading is without regard to case. Not supported: the letters B, g, W, F and p.
 */

export interface TimePattern {
  /** Whether it has letters that need a date, a time of day, or a zone. */
  readonly hasDate: boolean;
  readonly hasTime: boolean;
  readonly hasZone: boolean;
  /** The text of an instant in a zone. */
  format(epochMs: number, zone: TimeZone): string;
  /**
   * Reads a text. Throws `DataError` when it does not follow the pattern. Fields that the pattern lacks are those of
   * 1970-01-01T00:00.
   */
  parse(text: string): ParsedTime;
}

export interface ParsedTime {
  /** Milliseconds since 1970-01-01T00:00 of the local time that was written. */
  readonly localMs: number;
  /** The zone that was written, if any. */
  readonly zone: TimeZone | undefined;
}

interface Local {
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

/** Fields as they are read. */
type Fields = Record<string, number> & { zone?: TimeZone };

interface Part {
  readonly print: (local: Local) => string;
  /** Reads at a position; gives the next position, or -1. `reserved`: digits that following numbers need. */
  readonly read: (text: string, at: number, fields: Fields, reserved: number) => number;
  /** The digits of a number of fixed width, for the numbers before it. */
  readonly width?: number;
  /** A number that takes as many digits as there are. */
  readonly greedy?: boolean;
  readonly options?: readonly Part[];
}

const MONTHS = [
  'January', 'February', 'March', 'April', 'May', 'June', 'July',
  'August', 'September', 'October', 'November', 'December',
]; // prettier-ignore
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const HALVES = ['AM', 'PM'];
const ERAS = ['BC', 'AD'];
const DAY_MS = 86_400_000;

const DATE_LETTERS = 'GuyDMLQqYwEecd';
const TIME_LETTERS = 'ahKkHmsSAnN';
const ZONE_LETTERS = 'VvzOXxZ';

type Dialect = 'java.time' | 'lenient';

const compiled: Readonly<Record<Dialect, Map<string, TimePattern>>> = {
  'java.time': new Map(),
  lenient: new Map(),
};

/** Compiles a pattern, or gives it from the cache. Throws `DataError` for a pattern that is none. */
export function openTimePattern(pattern: string, dialect: Dialect = 'java.time'): TimePattern {
  const cache = compiled[dialect];
  let result = cache.get(pattern);
  if (result === undefined) {
    result = compile(pattern, dialect === 'lenient');
    if (cache.size >= 1000) cache.clear();
    cache.set(pattern, result);
  }
  return result;
}

function compile(pattern: string, lenient: boolean): TimePattern {
  const letters = new Set<string>();
  const stack: Part[][] = [[]];
  let at = 0;
  while (at < pattern.length) {
    const character = pattern[at]!;
    const parts = stack.at(-1)!;
    if (character === "'") {
      const { text, next } = quoted(pattern, at);
      parts.push(literal(text));
      at = next;
    } else if (character === '[') {
      stack.push([]);
      at++;
    } else if (character === ']') {
      if (stack.length === 1)
        throw new DataError(`the time pattern ${pattern} closes a bracket that is not open`);
      stack.pop();
      stack.at(-1)!.push(optional(parts));
      at++;
    } else if (/[A-Za-z]/.test(character)) {
      let end = at + 1;
      while (pattern[end] === character) end++;
      letters.add(character);
      parts.push(letterPart(character, end - at, pattern, lenient));
      at = end;
    } else if (character === '{' || character === '}' || character === '#') {
      throw new DataError(`the time pattern ${pattern} has the reserved character ${character}`);
    } else {
      parts.push(literal(character));
      at++;
    }
  }
  // Brackets left open close at the end, as in Java.
  while (stack.length > 1) {
    const parts = stack.pop()!;
    stack.at(-1)!.push(optional(parts));
  }
  const parts = stack[0]!;
  const has = (group: string): boolean => [...letters].some((letter) => group.includes(letter));
  return {
    hasDate: has(DATE_LETTERS),
    hasTime: has(TIME_LETTERS),
    hasZone: has(ZONE_LETTERS),
    format: (epochMs, zone) => printAll(parts, localOf(epochMs, zone)),
    parse(text) {
      const fields: Fields = {};
      const end = readAll(parts, text, 0, fields);
      // The older dialect reads what it can from the beginning and leaves the rest.
      if (lenient ? end < 0 : end !== text.length)
        throw new DataError(
          `${JSON.stringify(text.slice(0, 60))} does not follow the time pattern ${pattern}`,
        );
      return { localMs: resolve(fields, text), zone: fields.zone };
    },
  };
}

function quoted(pattern: string, start: number): { text: string; next: number } {
  if (pattern[start + 1] === "'") return { text: "'", next: start + 2 };
  let text = '';
  for (let at = start + 1; at < pattern.length; at++) {
    if (pattern[at] !== "'") text += pattern[at];
    else if (pattern[at + 1] === "'") {
      text += "'";
      at++;
    } else return { text, next: at + 1 };
  }
  throw new DataError(`the time pattern ${pattern} has a quote that does not end`);
}

function localOf(epochMs: number, zone: TimeZone): Local {
  const localMs = epochMs + zone.offsetAt(epochMs);
  const days = Math.floor(localMs / DAY_MS);
  const { year, month, day } = civilOf(days);
  return { year, month, day, days, millis: localMs - days * DAY_MS, epochMs, zone };
}

function printAll(parts: readonly Part[], local: Local): string {
  let text = '';
  for (const part of parts) text += part.print(local);
  return text;
}

function readAll(parts: readonly Part[], text: string, start: number, fields: Fields): number {
  let at = start;
  for (let i = 0; i < parts.length && at >= 0; i++) {
    let reserved = 0;
    if (parts[i]!.greedy === true)
      for (let j = i + 1; parts[j]?.width !== undefined; j++) reserved += parts[j]!.width!;
    at = parts[i]!.read(text, at, fields, reserved);
  }
  return at;
}

function literal(expected: string): Part {
  const lower = expected.toLowerCase();
  return {
    print: () => expected,
    read: (text, at) =>
      text.slice(at, at + expected.length).toLowerCase() === lower ? at + expected.length : -1,
  };
}

function optional(parts: readonly Part[]): Part {
  return {
    print: (local) => printAll(parts, local),
    read(text, at, fields) {
      const tried: Fields = { ...fields };
      const end = readAll(parts, text, at, tried);
      if (end < 0) return at;
      Object.assign(fields, tried);
      return end;
    },
  };
}

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

/** A number: one letter takes as many digits as there are, more take exactly as many as letters. */
function number(field: string, count: number, lenient: boolean, get: (local: Local) => number): Part {
  const open = count === 1 || lenient;
  return {
    ...(open ? { greedy: true, ...(lenient && count > 1 ? { width: count } : {}) } : { width: count }),
    print: (local) => pad(get(local), count),
    read(text, at, fields, reserved) {
      let min = open ? 1 : count;
      let max = open ? 19 : count;
      if (lenient && reserved > 0) min = max = count;
      else if (open && reserved > 0) max = Math.max(1, digitsAt(text, at) - reserved);
      const found = readNumber(text, at, min, max, false);
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

function year(field: string, count: number, lenient: boolean, get: (local: Local) => number): Part {
  if (count === 2)
    return {
      width: 2,
      print: (local) => pad(((get(local) % 100) + 100) % 100, 2),
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
      const found = readNumber(text, at, lenient ? 1 : count, max, true);
      if (found === null) return -1;
      fields[field] = found.value;
      return found.end;
    },
  };
}

function words(field: string, list: readonly string[], first: number, get: (local: Local) => number): Part {
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
  field: string,
  list: readonly string[],
  count: number,
  first: number,
  get: (local: Local) => number,
): Part {
  const shape = count === 4 ? list : list.map((word) => (count === 5 ? word.slice(0, 1) : word.slice(0, 3)));
  return words(field, shape, first, get);
}

function fraction(count: number): Part {
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

function dayOfWeek(days: number): number {
  return ((((days + 3) % 7) + 7) % 7) + 1;
}

/** Week and year of weeks that begin on Sunday, the first one holding January 1st: those of the United States. */
function weekOf(local: Local): { week: number; year: number } {
  const weekday = dayOfWeek(local.days) % 7;
  const saturday = local.days + 6 - weekday;
  const { year: weekYear } = civilOf(saturday);
  const firstOfYear = daysOf(weekYear, 1, 1);
  const firstSunday = firstOfYear - (dayOfWeek(firstOfYear) % 7);
  return { week: Math.floor((local.days - firstSunday) / 7) + 1, year: weekYear };
}

function yearOfEra(local: Local): number {
  return local.year > 0 ? local.year : 1 - local.year;
}

/** An offset: minutes and seconds as the letters ask, with or without colons. */
function offset(style: { colon: boolean; minutes: 'always' | 'needed'; zero: string }): Part {
  return {
    print(local) {
      const total = Math.trunc(local.zone.offsetAt(local.epochMs) / 1000);
      if (total === 0 && style.zero !== '') return style.zero;
      const size = Math.abs(total);
      const minutes = Math.floor(size / 60) % 60;
      const hours = pad(Math.floor(size / 3600), 2);
      const tail =
        style.minutes === 'always' || minutes !== 0 ? `${style.colon ? ':' : ''}${pad(minutes, 2)}` : '';
      return `${total < 0 ? '-' : '+'}${hours}${tail}`;
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

function zone(print: (local: Local) => string): Part {
  return {
    print,
    read(input, at, fields) {
      const match = ZONE_TEXT.exec(input.slice(at, at + 60));
      if (match === null) return -1;
      fields.zone = zoneByName(match[0]);
      return at + match[0].length;
    },
  };
}

function localizedOffset(count: number): Part {
  const inner = offset({ colon: true, minutes: count === 4 ? 'always' : 'needed', zero: '' });
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

function letterPart(letter: string, count: number, pattern: string, lenient: boolean): Part {
  const hour = (local: Local): number => Math.floor(local.millis / 3_600_000);
  const limit = (max: number): void => {
    if (count > max) throw new DataError(`the time pattern ${pattern} has too many letters ${letter}`);
  };
  switch (letter) {
    case 'G':
      return words('era', count === 4 ? ['Before Christ', 'Anno Domini'] : ERAS, 0, (local) =>
        local.year > 0 ? 1 : 0,
      );
    case 'u':
      return year('year', count, lenient, (local) => local.year);
    case 'y':
      return year('yearOfEra', count, lenient, yearOfEra);
    case 'Y':
      return year('weekYear', count, lenient, (local) => weekOf(local).year);
    case 'w':
      limit(2);
      return number('week', count, lenient, (local) => weekOf(local).week);
    case 'D':
      limit(3);
      return number('dayOfYear', count, lenient, (local) => local.days - daysOf(local.year, 1, 1) + 1);
    case 'M':
    case 'L':
      limit(5);
      if (count >= 3) return text('month', MONTHS, count, 1, (local) => local.month);
      return number('month', count, lenient, (local) => local.month);
    case 'Q':
    case 'q': {
      limit(5);
      const quarter = (local: Local): number => Math.floor((local.month - 1) / 3) + 1;
      if (count === 3) return words('quarter', ['Q1', 'Q2', 'Q3', 'Q4'], 1, quarter);
      if (count >= 4)
        return words('quarter', ['1st quarter', '2nd quarter', '3rd quarter', '4th quarter'], 1, quarter);
      return number('quarter', count, lenient, quarter);
    }
    case 'd':
      limit(2);
      return number('day', count, lenient, (local) => local.day);
    case 'E':
      limit(5);
      return text('weekday', DAYS, Math.max(count, 3), 1, (local) => dayOfWeek(local.days));
    case 'e':
    case 'c':
      limit(5);
      if (count >= 3) return text('weekday', DAYS, count, 1, (local) => dayOfWeek(local.days));
      return number('localWeekday', count, lenient, (local) => (dayOfWeek(local.days) % 7) + 1);
    case 'a':
      limit(1);
      return words('half', HALVES, 0, (local) => (hour(local) < 12 ? 0 : 1));
    case 'h':
      limit(2);
      return number('hour12', count, lenient, (local) => ((hour(local) + 11) % 12) + 1);
    case 'K':
      limit(2);
      return number('hour11', count, lenient, (local) => hour(local) % 12);
    case 'k':
      limit(2);
      return number('hour24', count, lenient, (local) => (hour(local) === 0 ? 24 : hour(local)));
    case 'H':
      limit(2);
      return number('hour', count, lenient, hour);
    case 'm':
      limit(2);
      return number('minute', count, lenient, (local) => Math.floor(local.millis / 60_000) % 60);
    case 's':
      limit(2);
      return number('second', count, lenient, (local) => Math.floor(local.millis / 1000) % 60);
    case 'S':
      limit(9);
      return fraction(count);
    case 'A':
      return number('milliOfDay', count, lenient, (local) => local.millis);
    case 'n':
      return number('nano', count, lenient, (local) => (local.millis % 1000) * 1_000_000);
    case 'N':
      return number('nanoOfDay', count, lenient, (local) => local.millis * 1_000_000);
    case 'V':
      if (count !== 2) throw new DataError(`the time pattern ${pattern} needs two letters V`);
      return zone((local) => local.zone.id);
    case 'v':
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
      return offset({ colon: count === 3 || count === 5, minutes: count === 1 ? 'needed' : 'always', zero });
    }
    case 'Z':
      limit(5);
      if (count === 4) return localizedOffset(4);
      return offset({ colon: count === 5, minutes: 'always', zero: count === 5 ? 'Z' : '' });
    default:
      throw new DataError(`the time pattern ${pattern} has the letter ${letter}, which stands for nothing`);
  }
}

function inRange(
  value: number | undefined,
  low: number,
  high: number,
  fallback: number,
  input: string,
): number {
  if (value === undefined) return fallback;
  if (value < low || value > high)
    throw new DataError(
      `${JSON.stringify(input.slice(0, 60))} has a part that no date or time has (${value})`,
    );
  return value;
}

/** Milliseconds of the local time that the fields make. Days that a month lacks become its last one, as in Java. */
function resolve(fields: Fields, input: string): number {
  const get = (name: string, low: number, high: number, fallback: number): number =>
    inRange(fields[name], low, high, fallback, input);
  let yearNumber = fields['year'] ?? fields['yearOfEra'] ?? fields['weekYear'] ?? 1970;
  if (fields['era'] === 0) yearNumber = 1 - yearNumber;
  if (Math.abs(yearNumber) > 270_000) throw new DataError(`the year ${yearNumber} is out of range`);
  let days: number;
  if (fields['dayOfYear'] !== undefined) days = daysOf(yearNumber, 1, get('dayOfYear', 1, 366, 1));
  else if (fields['week'] !== undefined) {
    const firstOfYear = daysOf(yearNumber, 1, 1);
    const firstSunday = firstOfYear - (dayOfWeek(firstOfYear) % 7);
    const weekday =
      fields['weekday'] === undefined ? get('localWeekday', 1, 7, 1) - 1 : fields['weekday'] % 7;
    days = firstSunday + (get('week', 1, 53, 1) - 1) * 7 + weekday;
  } else {
    const quarterMonth = (get('quarter', 1, 4, 1) - 1) * 3 + 1;
    const month = get('month', 1, 12, quarterMonth);
    const day = get('day', 1, 31, 1);
    days = daysOf(yearNumber, month, Math.min(day, daysOfMonth(yearNumber, month)));
  }
  return days * DAY_MS + millisOf(fields, get);
}

type Get = (name: string, low: number, high: number, fallback: number) => number;

function millisOf(fields: Fields, get: Get): number {
  if (fields['milliOfDay'] !== undefined) return get('milliOfDay', 0, DAY_MS - 1, 0);
  if (fields['nanoOfDay'] !== undefined) return Math.floor(get('nanoOfDay', 0, DAY_MS * 1e6 - 1, 0) / 1e6);
  const half = get('half', 0, 1, 0) * 12;
  let hour = get('hour', 0, 24, 0);
  if (fields['hour24'] !== undefined) hour = get('hour24', 1, 24, 24) % 24;
  else if (fields['hour12'] !== undefined) hour = (get('hour12', 1, 12, 12) % 12) + half;
  else if (fields['hour11'] !== undefined) hour = get('hour11', 0, 11, 0) + half;
  const minute = get('minute', 0, 59, 0);
  const second = get('second', 0, 59, 0);
  const milli =
    fields['nano'] === undefined ? (fields['milli'] ?? 0) : Math.floor(get('nano', 0, 999_999_999, 0) / 1e6);
  const millis = hour * 3_600_000 + minute * 60_000 + second * 1000 + milli;
  if (millis > DAY_MS) throw new DataError('a time of day is beyond 24:00');
  return millis;
}
