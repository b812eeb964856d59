import { DataError } from '../../common/error.ts';
import { BIGINT, DATE, INTEGER, STRING, TIME, TIMESTAMP } from '../../types/sql-type.ts';
import type { ScalarEvaluator, ScalarFunction, ScalarSignature } from '../function.ts';
import { checked, fixed, parameter, type ScalarDefinition, scalars } from '../signature.ts';
import { openSimpleDatePattern } from '../simple-date-pattern.ts';
import { openTimePattern, type TimePattern } from '../time-pattern.ts';
import { instantOf, localZone, openTimeZone, UTC, type TimeZone } from '../time-zone.ts';

const DAY_MS = 86_400_000;
const UNIT = checked(parameter('unit', { kind: 'interval-unit' }), unitMs);
const JAVA_PATTERN = parameter('pattern', STRING, 'a pattern of java.time, such as yyyy-MM-dd HH:mm:ss.SSS');
const PATTERN = checked(JAVA_PATTERN, openTimePattern);
const ZONE = checked(
  parameter('zone', STRING, 'a time zone, such as America/Los_Angeles or +01:00'),
  openTimeZone,
);

const UNIT_MS: Readonly<Record<string, number>> = {
  MILLISECOND: 1,
  SECOND: 1000,
  MINUTE: 60_000,
  HOUR: 3_600_000,
  DAY: DAY_MS,
};

/** Milliseconds of an interval unit, such as DAY or DAYS. */
function unitMs(unit: string): number {
  const size = UNIT_MS[unit.toUpperCase().replace(/S$/, '')];
  if (size === undefined)
    throw new DataError(`${unit} is not a unit of fixed length, as DAYS and those below it are`);
  return size;
}

/** A date's instants and texts must stay where JavaScript and Java agree. */
const MAX_MS = 8.64e15;

function inRange(epochMs: number): number {
  if (Math.abs(epochMs) > MAX_MS) throw new DataError('a timestamp is out of range');
  return epochMs;
}

function formatTimestamp(epochMs: number | bigint, pattern: string, zone: TimeZone): string {
  return openTimePattern(pattern).format(inRange(Number(epochMs)), zone);
}

function openDatePattern(pattern: string): TimePattern {
  const compiled = openTimePattern(pattern);
  if (compiled.hasTime || compiled.hasZone)
    throw new DataError(`the pattern ${pattern} needs more than a date`);
  return compiled;
}

function openClockPattern(pattern: string): TimePattern {
  const compiled = openTimePattern(pattern);
  if (compiled.hasDate || compiled.hasZone)
    throw new DataError(`the pattern ${pattern} needs more than a time`);
  return compiled;
}

/** May have a zone, which says nothing about a time of day. */
function openReadClockPattern(pattern: string): TimePattern {
  const compiled = openTimePattern(pattern);
  if (compiled.hasDate) throw new DataError(`the pattern ${pattern} has parts of a date`);
  return compiled;
}

function formatDate(days: number, pattern: string): string {
  return openDatePattern(pattern).format(inRange(days * DAY_MS), UTC);
}

function formatTime(millis: number, pattern: string): string {
  return openClockPattern(pattern).format(millis, UTC);
}

function parseTimestamp(text: string, pattern: string, zone: TimeZone): number {
  const parsed = openTimePattern(pattern).parse(text);
  return instantOf(parsed.localMs, parsed.zone ?? zone);
}

function parseDate(text: string, pattern: string): number {
  const epochMs = openSimpleDatePattern(pattern).parse(text);
  if (epochMs % DAY_MS !== 0) throw new DataError(`${JSON.stringify(text)} has a time of day`);
  return epochMs / DAY_MS;
}

function parseTime(text: string, pattern: string): number {
  return openReadClockPattern(pattern).parseTime(text);
}

function addTime(unit: string, amount: number, millis: number): number {
  return (((millis + unitMs(unit) * amount) % DAY_MS) + DAY_MS) % DAY_MS;
}

/** Whole days of the sum: what parts of a day are added to a date before 1970 is cut off toward it. */
function addDate(unit: string, amount: number, days: number): number {
  const sum = Math.trunc((days * DAY_MS + unitMs(unit) * amount) / DAY_MS) + 0;
  if (sum !== (sum | 0)) throw new DataError('a date is out of range');
  return sum;
}

function one(
  name: string,
  description: string,
  examples: ScalarFunction['examples'],
  ...signatures: ScalarSignature[]
): ScalarDefinition {
  return { name, description, examples, nulls: 'propagate', signatures };
}

function arithmetic(
  name: string,
  type: typeof DATE,
  description: string,
  example: readonly [string, string],
  evaluate: ScalarEvaluator,
): ScalarDefinition {
  return one(
    name,
    description,
    [example],
    fixed([UNIT, parameter('amount', INTEGER), parameter('value', type)], type, evaluate),
  );
}

/** Where FORMAT_TIMESTAMP is when no zone is given; `zzz` prints this name. */
const GMT = openTimeZone('GMT');

const TEXT = parameter('input', STRING);
const DATE_PATTERN = checked(JAVA_PATTERN, openDatePattern);
const SIMPLE_PATTERN = checked(
  parameter('pattern', STRING, 'a pattern of SimpleDateFormat, such as dd/MM/yyyy'),
  openSimpleDatePattern,
);

export const temporalFunctions: readonly ScalarFunction[] = scalars('DATE_TIME', [
  one(
    'CONVERT_TZ',
    'Moves a timestamp by the difference between two time zones.',
    [["FORMAT_TIMESTAMP(CONVERT_TZ(FROM_UNIXTIME(0), 'UTC', 'Asia/Tokyo'), 'HH:mm')", "'09:00'"]],
    fixed(
      [
        parameter('timestamp', TIMESTAMP),
        checked(parameter('from', STRING), openTimeZone),
        checked(parameter('to', STRING), openTimeZone),
      ],
      TIMESTAMP,
      (epochMs: number, from: string, to: string) => {
        const source = openTimeZone(from);
        const target = openTimeZone(to);
        // The clock in `from` reads as if it were UTC; that instant is shown by the clock in `to`.
        const instant = instantOf(epochMs, source);
        return inRange(instant + target.offsetAt(instant));
      },
    ),
  ),
  arithmetic(
    'DATEADD',
    DATE,
    'Adds an amount of a unit to a date; parts of a day are cut off.',
    ["FORMAT_DATE(DATEADD(DAYS, 5, FROM_DAYS(0)), 'yyyy-MM-dd')", "'1970-01-06'"],
    addDate,
  ),
  arithmetic(
    'DATESUB',
    DATE,
    'Takes an amount of a unit from a date; parts of a day are cut off.',
    ["FORMAT_DATE(DATESUB(DAYS, 1, FROM_DAYS(1)), 'yyyy-MM-dd')", "'1970-01-01'"],
    (unit: string, amount: number, days: number) => addDate(unit, -amount, days),
  ),
  one(
    'DATETOSTRING',
    'The text of days since 1970-01-01 (an INTEGER). FORMAT_DATE does it for DATE.',
    [["DATETOSTRING(0, 'yyyy-MM-dd')", "'1970-01-01'"]],
    fixed([parameter('days', INTEGER), DATE_PATTERN], STRING, formatDate),
  ),
  one(
    'FORMAT_DATE',
    'The text of a date.',
    [["FORMAT_DATE(FROM_DAYS(18993), 'dd-MMM-yyyy')", "'01-Jan-2022'"]],
    fixed([parameter('date', DATE), DATE_PATTERN], STRING, formatDate),
  ),
  one(
    'FORMAT_TIME',
    'The text of a time.',
    [["FORMAT_TIME(PARSE_TIME('13:05', 'HH:mm'), 'h:mm a')", "'1:05 PM'"]],
    fixed([parameter('time', TIME), checked(JAVA_PATTERN, openClockPattern)], STRING, formatTime),
  ),
  one(
    'FORMAT_TIMESTAMP',
    'The text of a timestamp, in UTC or a given zone.',
    [["FORMAT_TIMESTAMP(FROM_UNIXTIME(1526075913000), 'yyyy-MM-dd HH:mm:ss')", "'2018-05-11 21:58:33'"]],
    fixed([parameter('timestamp', TIMESTAMP), PATTERN], STRING, (epochMs: number, pattern: string) =>
      formatTimestamp(epochMs, pattern, GMT),
    ),
    fixed(
      [parameter('timestamp', TIMESTAMP), PATTERN, ZONE],
      STRING,
      (epochMs: number, pattern: string, zone: string) =>
        formatTimestamp(epochMs, pattern, openTimeZone(zone)),
    ),
  ),
  one(
    'FROM_DAYS',
    'The date that is a number of days after 1970-01-01.',
    [["FORMAT_DATE(FROM_DAYS(10), 'yyyy-MM-dd')", "'1970-01-11'"]],
    fixed([parameter('days', INTEGER)], DATE, (days: number) => days),
  ),
  one(
    'FROM_UNIXTIME',
    'The timestamp that is a number of milliseconds after 1970-01-01T00:00 UTC.',
    [["FORMAT_TIMESTAMP(FROM_UNIXTIME(1000), 'ss')", "'01'"]],
    fixed([parameter('milliseconds', BIGINT)], TIMESTAMP, (epochMs: number | bigint) =>
      inRange(Number(epochMs)),
    ),
  ),
  one(
    'PARSE_DATE',
    'Reads a date.',
    [["FORMAT_DATE(PARSE_DATE('11/05/2019', 'dd/MM/yyyy'), 'yyyy-MM-dd')", "'2019-05-11'"]],
    fixed([TEXT, SIMPLE_PATTERN], DATE, parseDate),
  ),
  one(
    'PARSE_TIME',
    'Reads a time of day.',
    [["FORMAT_TIME(PARSE_TIME('01:00 PM', 'hh:mm a'), 'HH:mm')", "'13:00'"]],
    fixed([TEXT, checked(JAVA_PATTERN, openReadClockPattern)], TIME, parseTime),
  ),
  one(
    'PARSE_TIMESTAMP',
    'Reads a timestamp, in UTC or a given zone; a zone in the text wins. What the pattern lacks is that of 1970-01-01T00:00.',
    [["UNIX_TIMESTAMP(PARSE_TIMESTAMP('2018-05-11', 'yyyy-MM-dd'))", '1525996800000']],
    fixed([TEXT, PATTERN], TIMESTAMP, (text: string, pattern: string) => parseTimestamp(text, pattern, UTC)),
    fixed([TEXT, PATTERN, ZONE], TIMESTAMP, (text: string, pattern: string, zone: string) =>
      parseTimestamp(text, pattern, openTimeZone(zone)),
    ),
  ),
  one(
    'STRINGTODATE',
    'Reads a date as days since 1970-01-01 (an INTEGER). PARSE_DATE gives a DATE.',
    [["STRINGTODATE('1970-01-11', 'yyyy-MM-dd')", '10']],
    fixed([TEXT, PATTERN], INTEGER, (text: string, pattern: string) =>
      openTimePattern(pattern).parseDate(text),
    ),
  ),
  one(
    'STRINGTOTIMESTAMP',
    'Reads a timestamp as milliseconds (a BIGINT); without a zone in the server’s. PARSE_TIMESTAMP gives a TIMESTAMP.',
    [["STRINGTOTIMESTAMP('1970-01-01 00:00:01Z', 'yyyy-MM-dd HH:mm:ssX')", '1000']],
    fixed([TEXT, PATTERN], BIGINT, (text: string, pattern: string) =>
      parseTimestamp(text, pattern, localZone()),
    ),
    fixed([TEXT, PATTERN, ZONE], BIGINT, (text: string, pattern: string, zone: string) =>
      parseTimestamp(text, pattern, openTimeZone(zone)),
    ),
  ),
  arithmetic(
    'TIMEADD',
    TIME,
    'Adds an amount of a unit to a time of day, round the clock.',
    ["FORMAT_TIME(TIMEADD(HOURS, 2, PARSE_TIME('23:00', 'HH:mm')), 'HH:mm')", "'01:00'"],
    addTime,
  ),
  arithmetic(
    'TIMESTAMPADD',
    TIMESTAMP,
    'Adds an amount of a unit to a timestamp.',
    ['UNIX_TIMESTAMP(TIMESTAMPADD(SECONDS, 2, FROM_UNIXTIME(0)))', '2000'],
    (unit: string, amount: number, epochMs: number) => inRange(epochMs + unitMs(unit) * amount),
  ),
  arithmetic(
    'TIMESTAMPSUB',
    TIMESTAMP,
    'Takes an amount of a unit from a timestamp.',
    ['UNIX_TIMESTAMP(TIMESTAMPSUB(SECONDS, 2, FROM_UNIXTIME(5000)))', '3000'],
    (unit: string, amount: number, epochMs: number) => inRange(epochMs - unitMs(unit) * amount),
  ),
  one(
    'TIMESTAMPTOSTRING',
    'The text of milliseconds since 1970-01-01 UTC (a BIGINT); without a zone in the server’s. FORMAT_TIMESTAMP does it for TIMESTAMP.',
    [["TIMESTAMPTOSTRING(0, 'yyyy-MM-dd', 'UTC')", "'1970-01-01'"]],
    fixed([parameter('milliseconds', BIGINT), PATTERN], STRING, (epochMs: number | bigint, pattern: string) =>
      formatTimestamp(epochMs, pattern, localZone()),
    ),
    fixed(
      [parameter('milliseconds', BIGINT), PATTERN, ZONE],
      STRING,
      (epochMs: number | bigint, pattern: string, zone: string) =>
        formatTimestamp(epochMs, pattern, openTimeZone(zone)),
    ),
  ),
  arithmetic(
    'TIMESUB',
    TIME,
    'Takes an amount of a unit from a time of day, round the clock.',
    ["FORMAT_TIME(TIMESUB(HOURS, 2, PARSE_TIME('01:00', 'HH:mm')), 'HH:mm')", "'23:00'"],
    (unit: string, amount: number, millis: number) => addTime(unit, -amount, millis),
  ),
  {
    ...one(
      'UNIX_DATE',
      'Days since 1970-01-01: of a date, or of today in the server’s time zone.',
      [['UNIX_DATE(FROM_DAYS(10))', '10']],
      {
        parameters: [],
        returns: INTEGER,
        open: (_args, _returns, context) => () => {
          const now = context.now();
          return Math.floor((now + localZone().offsetAt(now)) / DAY_MS);
        },
      },
      fixed([parameter('date', DATE)], INTEGER, (days: number) => days),
    ),
    volatile: true,
  },
  {
    ...one(
      'UNIX_TIMESTAMP',
      'Milliseconds since 1970-01-01T00:00 UTC: of a timestamp, or of now.',
      [['UNIX_TIMESTAMP(FROM_UNIXTIME(10))', '10']],
      { parameters: [], returns: BIGINT, open: (_args, _returns, context) => () => context.now() },
      fixed([parameter('timestamp', TIMESTAMP)], BIGINT, (epochMs: number) => epochMs),
    ),
    volatile: true,
  },
]);
