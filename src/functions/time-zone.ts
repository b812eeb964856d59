import { DataError } from '../common/error.ts';

/**
 * Time zones by the rules that Node carries (ICU): offsets and names. js-joda would bring its own copy of the rules, 400 ms
 * of loading and, for text such as MMM, an 18 MB locale package; and it prints ET where Java prints EST.
 */

export interface TimeZone {
  readonly id: string;
  /** What is added to UTC to get local time at an instant, in milliseconds. */
  offsetAt(epochMs: number): number;
  /** `PDT`, or `Pacific Daylight Time`. */
  nameAt(epochMs: number, style: 'short' | 'long'): string;
}

export const UTC: TimeZone = fixedZone('UTC', 0);

const FIXED = /^(?:UTC|GMT|UT)?(?:([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?)?$/;

/** Offsets change on quarters of an hour only (since 1972), so one per quarter is enough to keep. */
const BUCKET_MS = 15 * 60_000;
const MAX_BUCKETS = 4096;

const zones = new Map<string, TimeZone>();

/** A zone by its id: `America/Los_Angeles`, `UTC`, `Z`, `+02:00`, `GMT+2`. Throws `DataError` for unknown ones. */
export function openTimeZone(id: string): TimeZone {
  let zone = zones.get(id);
  if (zone === undefined) {
    zone = createZone(id);
    if (zones.size < 1000) zones.set(id, zone);
  }
  return zone;
}

function createZone(id: string): TimeZone {
  if (id === 'Z' || id === 'z') return fixedZone('Z', 0);
  const match = id === '' ? null : FIXED.exec(id);
  if (match !== null) {
    const seconds = Number(match[2] ?? 0) * 3600 + Number(match[3] ?? 0) * 60 + Number(match[4] ?? 0);
    if (seconds > 18 * 3600) throw new DataError(`the zone offset ${id} is beyond 18 hours`);
    return fixedZone(id, (match[1] === '-' ? -seconds : seconds) * 1000);
  }
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone: id,
      calendar: 'iso8601',
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
  } catch {
    throw new DataError(`${JSON.stringify(id)} is not a time zone`);
  }
  return regionZone(id, format);
}

function fixedZone(id: string, offset: number): TimeZone {
  return { id, offsetAt: () => offset, nameAt: () => id };
}

function regionZone(id: string, format: Intl.DateTimeFormat): TimeZone {
  const offsets = new Map<number, number>();
  return {
    id,
    offsetAt(epochMs) {
      const bucket = Math.floor(epochMs / BUCKET_MS);
      let offset = offsets.get(bucket);
      if (offset === undefined) {
        offset = readOffset(format, bucket * BUCKET_MS);
        if (offsets.size >= MAX_BUCKETS) offsets.clear();
        offsets.set(bucket, offset);
      }
      return offset;
    },
    nameAt: (epochMs, style) => zoneName(id, epochMs, style),
  };
}

function readOffset(format: Intl.DateTimeFormat, epochMs: number): number {
  const fields: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(epochMs)) fields[type] = Number(value);
  const local = Date.UTC(
    fields['year']!,
    fields['month']! - 1,
    fields['day']!,
    fields['hour']!,
    fields['minute']!,
    fields['second']!,
  );
  return local - epochMs;
}

/** English abbreviations differ by country: the first that is not merely an offset. */
const LOCALES = ['en-US', 'en-GB', 'en-AU', 'en-CA', 'en-IN'];

function zoneName(id: string, epochMs: number, style: 'short' | 'long'): string {
  let name = id;
  for (const locale of LOCALES) {
    const parts = new Intl.DateTimeFormat(locale, { timeZone: id, timeZoneName: style }).formatToParts(
      epochMs,
    );
    name = parts.find((part) => part.type === 'timeZoneName')?.value ?? id;
    if (!/^GMT[+-]/.test(name)) return name;
  }
  return ABBREVIATIONS[id] ?? name;
}

const ABBREVIATIONS: Readonly<Record<string, string>> = {
  'Asia/Tokyo': 'JST',
  'Asia/Seoul': 'KST',
  'Asia/Shanghai': 'CST',
  'Asia/Hong_Kong': 'HKT',
  'Asia/Singapore': 'SGT',
  'Asia/Jerusalem': 'IST',
  'Europe/Moscow': 'MSK',
};

/** The region that an abbreviation stands for when it is read, as Java takes it. */
const REGIONS: Readonly<Record<string, string>> = {
  PST: 'America/Los_Angeles',
  PDT: 'America/Los_Angeles',
  PT: 'America/Los_Angeles',
  MST: 'America/Denver',
  MDT: 'America/Denver',
  CST: 'America/Chicago',
  CDT: 'America/Chicago',
  EST: 'America/New_York',
  EDT: 'America/New_York',
  ET: 'America/New_York',
  BST: 'Europe/London',
  WET: 'Europe/Lisbon',
  CET: 'Europe/Paris',
  CEST: 'Europe/Paris',
  EET: 'Europe/Athens',
  EEST: 'Europe/Athens',
  MSK: 'Europe/Moscow',
  IST: 'Asia/Kolkata',
  JST: 'Asia/Tokyo',
  KST: 'Asia/Seoul',
  AEST: 'Australia/Sydney',
  AEDT: 'Australia/Sydney',
};

/** A zone by id or abbreviation. Throws `DataError`. */
export function zoneByName(name: string): TimeZone {
  return openTimeZone(REGIONS[name.toUpperCase()] ?? name);
}

const DAY_MS = 86_400_000;

/**
 * The instant of a local time (milliseconds as if it were UTC). A time that comes twice is the earlier one, a time that the
 * clocks skip moves forward by what they skip, as `ZonedDateTime.ofLocal` has it.
 */
export function instantOf(localMs: number, zone: TimeZone): number {
  const before = zone.offsetAt(localMs - DAY_MS);
  const after = zone.offsetAt(localMs + DAY_MS);
  const first = localMs - before;
  if (before === after || zone.offsetAt(first) === before) return first;
  const second = localMs - after;
  return zone.offsetAt(second) === after ? second : first;
}

/** The zone of this machine: what the deprecated functions without a zone argument use. */
export function localZone(): TimeZone {
  local ??= openTimeZone(new Intl.DateTimeFormat().resolvedOptions().timeZone);
  return local;
}

let local: TimeZone | undefined;
