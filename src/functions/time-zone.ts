import { DataError } from '../common/error.ts';
import { cachedByText } from './cached-by-text.ts';

/**
 * Time zones by the rules that Node carries (ICU): offsets and names, which are those that Java prints. Why not js-joda:
 * docs/decisions.md, "Time patterns are our own".
 */

export interface TimeZone {
  readonly id: string;
  /** What is added to UTC to get local time at an instant, in milliseconds. */
  offsetAt(epochMs: number): number;
  /** `PDT`, `Pacific Daylight Time`, `PT` or `Pacific Time`. */
  nameAt(epochMs: number, style: ZoneNameStyle): string;
}

export type ZoneNameStyle = 'short' | 'long' | 'shortGeneric' | 'longGeneric';

export const UTC: TimeZone = fixedZone('UTC', 0);

const FIXED = /^(UTC|GMT|UT)?(?:([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?)?$/;

/** Offsets change on quarters of an hour only (since 1972), so one per quarter is enough to keep. */
const BUCKET_MS = 15 * 60_000;
const MAX_BUCKETS = 4096;

/** A zone by its id: `America/Los_Angeles`, `UTC`, `Z`, `+02:00`, `GMT+2`. Throws `DataError` for unknown ones. */
export const openTimeZone: (id: string) => TimeZone = cachedByText(createZone);

function createZone(id: string): TimeZone {
  if (id === 'Z' || id === 'z') return fixedZone('Z', 0);
  const match = id === '' ? null : FIXED.exec(id);
  if (match !== null) {
    const [, prefix = '', sign, hours = '0', minutes = '0', rest = '0'] = match;
    const seconds = Number(hours) * 3600 + Number(minutes) * 60 + Number(rest);
    if (seconds > 18 * 3600) throw new DataError(`the zone offset ${id} is beyond 18 hours`);
    // Java's ids of offsets: GMT+3 is GMT+03:00.
    const tail = Number(rest) === 0 ? '' : `:${rest}`;
    const offset = seconds === 0 ? '' : `${sign}${hours.padStart(2, '0')}:${minutes.padStart(2, '0')}${tail}`;
    return fixedZone(prefix + offset || 'Z', (sign === '-' ? -seconds : seconds) * 1000);
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

const FIXED_NAMES: Readonly<Record<string, string>> = {
  UTC: 'Coordinated Universal Time',
  GMT: 'Greenwich Mean Time',
};

function fixedZone(id: string, offset: number): TimeZone {
  return {
    id,
    offsetAt: () => offset,
    nameAt: (_epochMs, style) => (style.startsWith('long') ? (FIXED_NAMES[id] ?? id) : id),
  };
}

/** The year 1811: no zone had other than its local mean time yet, and ICU counts older days by other calendars. */
const FIRST_RULES_MS = -5e12;

function regionZone(id: string, format: Intl.DateTimeFormat): TimeZone {
  const offsets = new Map<number, number>();
  const zone: TimeZone = {
    id,
    offsetAt(epochMs) {
      const bucket = Math.floor(Math.max(epochMs, FIRST_RULES_MS) / BUCKET_MS);
      let offset = offsets.get(bucket);
      if (offset === undefined) {
        offset = readOffset(format, bucket * BUCKET_MS);
        if (offsets.size >= MAX_BUCKETS) offsets.clear();
        offsets.set(bucket, offset);
      }
      return offset;
    },
    nameAt: (epochMs, style) => zoneName(zone, epochMs, style),
  };
  return zone;
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

/** Two days of a year whose names ICU knows. */
const NAMED_DAYS_MS = [Date.UTC(2020, 0, 1), Date.UTC(2020, 6, 1)];

function zoneName(zone: TimeZone, epochMs: number, style: ZoneNameStyle): string {
  if (style === 'longGeneric') return intlName('en-US', zone.id, epochMs, style);
  // PST and PDT are both PT.
  if (style === 'shortGeneric')
    return zoneName(zone, NAMED_DAYS_MS[0]!, 'short').replace(/^(.)[SD]T$/, '$1T');
  const named = nameOn(zone.id, epochMs, style);
  if (named !== undefined) return named;
  // ICU has no names before 1970 for most zones: take the name of the same offset in another year.
  const offset = zone.offsetAt(epochMs);
  const day = NAMED_DAYS_MS.find((other) => zone.offsetAt(other) === offset) ?? NAMED_DAYS_MS[0]!;
  return nameOn(zone.id, day, style) ?? ABBREVIATIONS[zone.id] ?? intlName('en-US', zone.id, epochMs, style);
}

/** The name in the first locale that has more than an offset. */
function nameOn(id: string, epochMs: number, style: ZoneNameStyle): string | undefined {
  for (const locale of LOCALES) {
    const name = intlName(locale, id, epochMs, style);
    if (!/^GMT[+-]/.test(name)) return name;
  }
  return undefined;
}

function intlName(locale: string, id: string, epochMs: number, style: ZoneNameStyle): string {
  const parts = new Intl.DateTimeFormat(locale, { timeZone: id, timeZoneName: style }).formatToParts(epochMs);
  return parts.find((part) => part.type === 'timeZoneName')?.value ?? id;
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

/** The long names (in lower case) of the zones that have abbreviations, longest first. */
export function longZoneNames(): readonly (readonly [name: string, zone: TimeZone])[] {
  longNames ??= [...new Set(['UTC', 'GMT', ...Object.values(REGIONS)])]
    .map((id) => openTimeZone(id))
    .flatMap((zone) =>
      NAMED_DAYS_MS.map((day) => [zone.nameAt(day, 'long').toLowerCase(), zone] as const).concat([
        [zone.nameAt(NAMED_DAYS_MS[0]!, 'longGeneric').toLowerCase(), zone],
      ]),
    )
    .sort(([a], [b]) => b.length - a.length);
  return longNames;
}

let longNames: readonly (readonly [string, TimeZone])[] | undefined;

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
