import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { openTimePattern } from '../../../../src/functions/time-pattern.ts';
import { instantOf, openTimeZone, UTC } from '../../../../src/functions/time-zone.ts';
import { BIGINT, DATE, INTEGER, STRING, TIME, TIMESTAMP } from '../../../../src/types/sql-type.ts';
import { call, unit, type Given } from '../call.ts';

const s = (value: string | null): Given => [STRING, value];
const SAMPLE = 1_526_075_913_000; // 2018-05-11T21:58:33Z

function format(pattern: string, zone = 'UTC', epochMs = SAMPLE): unknown {
  return call('FORMAT_TIMESTAMP', [TIMESTAMP, epochMs], s(pattern), s(zone));
}

describe('printing', () => {
  test.each([
    ['yyyy-MM-dd HH:mm:ss zzz', 'America/Los_Angeles', '2018-05-11 14:58:33 PDT'],
    ['yyyy-MM-dd HH:mm:ss zzz', 'Europe/London', '2018-05-11 22:58:33 BST'],
    ['zzzz', 'Europe/Paris', 'Central European Summer Time'],
    ['EEEE, d MMMM uuuu', 'UTC', 'Friday, 11 May 2018'],
    ['EEE MMM MMMMM dd yy', 'UTC', 'Fri May M 11 18'],
    ["h:mm a 'o''clock'", 'UTC', "9:58 PM o'clock"],
    ['K k D Q QQQ w YYYY', 'UTC', '9 21 131 2 Q2 19 2018'],
    [
      'X XX XXX x Z ZZZZZ O VV',
      'Asia/Kolkata',
      '+0530 +0530 +05:30 +0530 +0530 +05:30 GMT+5:30 Asia/Kolkata',
    ],
    ['X XXX x Z ZZZZ', 'UTC', 'Z Z +00 +0000 GMT'],
    ['G yyyy', 'UTC', 'AD 2018'],
  ])('%s in %s', (pattern, zone, expected) => {
    expect(format(pattern, zone)).toBe(expected);
  });

  test('fractions are cut or filled up', () => {
    expect(format('S SS SSS SSSSSS A n', 'UTC', SAMPLE + 45)).toBe('0 04 045 045000 79113045 45000000');
  });

  test('without a zone it is GMT', () => {
    expect(call('FORMAT_TIMESTAMP', [TIMESTAMP, SAMPLE], s('HH zzz'))).toBe('21 GMT');
  });

  test.each(['bogus', 'yyyy-MM-dd[', "'open", 'MMMMMM', '{', 'aa'])('the pattern %s', (pattern) => {
    // An open bracket closes at the end, as in Java; the others are errors.
    if (pattern.endsWith('[')) expect(format(pattern)).toBe('2018-05-11');
    else expect(() => format(pattern)).toThrow(DataError);
  });

  test('before 1970 and leap days', () => {
    expect(format('yyyy-MM-dd HH:mm:ss.SSS', 'UTC', -1)).toBe('1969-12-31 23:59:59.999');
    expect(call('FORMAT_DATE', [DATE, 18321], s('yyyy-MM-dd'))).toBe('2020-02-29');
  });

  test('dates have no time, times no date', () => {
    expect(call('FORMAT_DATE', [DATE, -1], s("dd-MM-yyyy'Sophia'"))).toBe('31-12-1969Sophia');
    expect(call('FORMAT_TIME', [TIME, 1_234_567], s("HHmmss'AAAAA'"))).toBe('002034AAAAA');
    expect(() => call('FORMAT_DATE', [DATE, 0], s('HH'))).toThrow(DataError);
    expect(() => call('FORMAT_TIME', [TIME, 0], s('yyyy'))).toThrow(DataError);
  });
});

describe('reading', () => {
  const parse = (text: string, pattern: string): unknown => call('PARSE_TIMESTAMP', s(text), s(pattern));

  test.each([
    ['2019-08-27T13:31:09.2+0000', "yyyy-MM-dd'T'HH:mm:ss.SX", 1_566_912_669_200],
    ['2020-05-11T21:58:33z', "yyyy-MM-dd'T'HH:mm:ssX", 1_589_234_313_000],
    ['2018-05-11T21:58:33 PST', "yyyy-MM-dd'T'HH:mm:ss zzz", 1_526_101_113_000],
    ['20180511215833', 'yyyyMMddHHmmss', SAMPLE],
    ['20180511215833123', 'yyyyMMddHHmmssSSS', SAMPLE + 123],
    ['may 11 2018', 'MMM d yyyy', 1_525_996_800_000],
    ['2018-05-11', "yyyy-MM-dd['T'HH:mm]", 1_525_996_800_000],
    ['2018-05-11T01:00', "yyyy-MM-dd['T'HH:mm]", 1_525_996_800_000 + 3_600_000],
    ['2018-02-31', 'yyyy-MM-dd', Date.UTC(2018, 1, 28)],
    ['12:30 AM', 'hh:mm a', 30 * 60_000],
    ['', '', 0],
  ])('%s by %s', (text, pattern, expected) => {
    expect(parse(text, pattern)).toBe(expected);
  });

  test.each([
    ['2018-05-11x', 'yyyy-MM-dd'],
    ['2018-5-11', 'yyyy-MM-dd'],
    ['2018-13-11', 'yyyy-MM-dd'],
    ['25:00', 'HH:mm'],
    ['nonsense', 'yyyy'],
    ['10 Nowhere/Land', 'HH VV'],
  ])('%s does not follow %s', (text, pattern) => {
    expect(() => parse(text, pattern)).toThrow(DataError);
  });

  test('a zone argument is for texts without one', () => {
    expect(call('PARSE_TIMESTAMP', s('1970-01-01 00'), s('yyyy-MM-dd HH'), s('Asia/Tokyo'))).toBe(
      -9 * 3_600_000,
    );
    expect(call('PARSE_TIMESTAMP', s('1970-01-01 00Z'), s('yyyy-MM-dd HHX'), s('Asia/Tokyo'))).toBe(0);
  });

  test('PARSE_DATE takes short numbers, any case, and no time of day', () => {
    expect(call('PARSE_DATE', s('01-JAN-2022'), s('dd-MMM-yyyy'))).toBe(18_993);
    expect(call('PARSE_DATE', s('JAN-2022'), s('MMM-yyyy'))).toBe(18_993);
    expect(call('PARSE_DATE', s('1/5/2019'), s('dd/MM/yyyy'))).toBe(18_017);
    expect(call('PARSE_DATE', s('20220101'), s('yyyyMMdd'))).toBe(18_993);
    expect(call('PARSE_DATE', s('2022-01-01-02-03'), s('yyyy-MM-dd'))).toBe(18_993);
    expect(() => call('PARSE_DATE', s('x2022-01-01'), s('yyyy-MM-dd'))).toThrow(DataError);
    expect(() => call('PARSE_DATE', s('2022-01-01 10'), s('yyyy-MM-dd HH'))).toThrow(DataError);
  });

  test('PARSE_TIME', () => {
    expect(call('PARSE_TIME', s('01:00:00 Pm'), s('hh:mm:ss a'))).toBe(46_800_000);
    expect(call('PARSE_TIME', s('00:01:05Lit'), s("HH:mm:ss'Lit'"))).toBe(65_000);
    expect(() => call('PARSE_TIME', s('2020 10'), s('yyyy HH'))).toThrow(DataError);
  });

  test('what was printed can be read', () => {
    const pattern = openTimePattern("EEE d MMM uuuu HH:mm:ss.SSS XXX '['VV']'");
    const zones = ['America/New_York', 'Asia/Kolkata', 'UTC', 'Australia/Lord_Howe'].map(openTimeZone);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(...zones), (epochMs, zone) => {
        const offset = zone.offsetAt(epochMs);
        const parsed = pattern.parse(pattern.format(epochMs, zone));
        expect(parsed.localMs).toBe(epochMs + offset);
        expect(parsed.zone!.id).toBe(zone.id);
      }),
    );
  });
});

describe('zones', () => {
  test('a time that clocks skip moves forward, one that comes twice is the earlier', () => {
    const newYork = openTimeZone('America/New_York');
    expect(instantOf(Date.UTC(2021, 2, 14, 2, 30), newYork)).toBe(Date.UTC(2021, 2, 14, 7, 30));
    expect(instantOf(Date.UTC(2021, 10, 7, 1, 30), newYork)).toBe(Date.UTC(2021, 10, 7, 5, 30));
  });

  test('instants come back from local time', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2e12 }), (epochMs) => {
        const berlin = openTimeZone('Europe/Berlin');
        const local = epochMs + berlin.offsetAt(epochMs);
        const back = instantOf(local, berlin);
        // In the hour that comes twice the earlier instant is meant.
        expect([epochMs, epochMs - 3_600_000]).toContain(back);
        expect(back + berlin.offsetAt(back)).toBe(local);
      }),
    );
  });

  test('fixed offsets and unknown names', () => {
    expect(openTimeZone('GMT+2').offsetAt(0)).toBe(7_200_000);
    expect(openTimeZone('-05:30').offsetAt(0)).toBe(-19_800_000);
    expect(UTC.offsetAt(0)).toBe(0);
    for (const id of ['', 'Mars/Base', '+19:00']) expect(() => openTimeZone(id), id).toThrow(DataError);
  });

  test('CONVERT_TZ shifts by the difference', () => {
    const convert = (epochMs: number): unknown =>
      call('CONVERT_TZ', [TIMESTAMP, epochMs], s('America/Los_Angeles'), s('America/New_York'));
    expect(convert(100)).toBe(10_800_100);
    expect(convert(1_589_234_313_000)).toBe(1_589_245_113_000);
  });
});

test('arithmetic with units', () => {
  const days: Given = unit('DAYS');
  expect(call('DATEADD', days, [INTEGER, -5], [DATE, 2])).toBe(-3);
  expect(call('DATEADD', unit('HOURS'), [INTEGER, 47], [DATE, 0])).toBe(1);
  expect(call('DATESUB', unit('DAY'), [INTEGER, 1], [DATE, 0])).toBe(-1);
  expect(() => call('DATEADD', days, [INTEGER, -2_146_664_868], [DATE, -818_781])).toThrow('out of range');
  expect(call('TIMEADD', unit('MILLISECONDS'), [INTEGER, -5], [TIME, 2])).toBe(86_399_997);
  expect(call('TIMESUB', unit('HOURS'), [INTEGER, -2], [TIME, 82_800_000])).toBe(3_600_000);
  expect(call('TIMESTAMPADD', unit('SECONDS'), [INTEGER, 2], [TIMESTAMP, 1])).toBe(2001);
  expect(call('TIMESTAMPSUB', unit('MILLISECONDS'), [INTEGER, -5], [TIMESTAMP, -100])).toBe(-95);
  expect(call('DATEADD', days, [INTEGER, null], [DATE, 2])).toBe(null);
  expect(() => call('TIMESTAMPADD', unit('MONTHS'), [INTEGER, 1], [TIMESTAMP, 0])).toThrow(DataError);
});

test('the clock is the one that is handed in', () => {
  expect(call('UNIX_TIMESTAMP')).toBe(SAMPLE);
  expect(Math.abs((call('UNIX_DATE') as number) - 17_662)).toBeLessThanOrEqual(1);
  expect(call('UNIX_TIMESTAMP', [TIMESTAMP, 100])).toBe(100);
  expect(call('FROM_UNIXTIME', [BIGINT, 5])).toBe(5);
  expect(call('STRINGTODATE', s('2018-05-11Lit'), s("yyyy-MM-dd'Lit'"))).toBe(17_662);
  expect(call('DATETOSTRING', [INTEGER, 18_993], s('dd-MMM-yyyy'))).toBe('01-Jan-2022');
  expect(call('TIMESTAMPTOSTRING', [BIGINT, SAMPLE], s('HH:mm'), s('UTC'))).toBe('21:58');
});
