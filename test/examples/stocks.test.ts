import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { millrace } from '../harness/millrace.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLE = join(ROOT, 'examples/stocks');
const DAY_MS = 86_400_000;
const SIZE_MS = 90 * DAY_MS;
const ADVANCE_MS = 30 * DAY_MS;

let directory: string;
let files: string[];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-stocks-'));
  const prices = join(directory, 'prices.sql');
  writeFileSync(prices, execFileSync(process.execPath, [join(EXAMPLE, 'load.js')]));
  const everything = join(directory, 'everything.sql');
  writeFileSync(everything, 'SELECT SYMBOL, WINDOWSTART, LOWEST, MONTHS, AVERAGE FROM STOCK_STATS;');
  files = [join(EXAMPLE, 'create.sql'), prices, everything];
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface Stats {
  readonly SYMBOL: string;
  readonly WINDOWSTART: number;
  readonly LOWEST: number;
  readonly MONTHS: number;
  readonly AVERAGE: number;
}

/** The same numbers from the CSV, window by window. */
function expected(): Stats[] {
  const csv = readFileSync(join(ROOT, 'node_modules/vega-datasets/data/stocks.csv'), 'utf8');
  const rows = csv
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','));
  const prices = rows.map(([symbol, date, price]) => ({
    symbol: symbol!,
    time: Date.parse(`${date} UTC`),
    price: Number(price),
  }));
  const stats: Stats[] = [];
  const last = Math.max(...prices.map(({ time }) => time));
  for (const SYMBOL of new Set(prices.map(({ symbol }) => symbol)))
    for (let WINDOWSTART = 0; WINDOWSTART <= last; WINDOWSTART += ADVANCE_MS) {
      const inside = prices
        .filter(
          ({ symbol, time }) => symbol === SYMBOL && time >= WINDOWSTART && time < WINDOWSTART + SIZE_MS,
        )
        .map(({ price }) => price);
      if (inside.length === 0) continue;
      const sum = inside.reduce((total, price) => total + price, 0);
      stats.push({
        SYMBOL,
        WINDOWSTART,
        LOWEST: Math.min(...inside),
        MONTHS: inside.length,
        AVERAGE: sum / inside.length,
      });
    }
  return stats;
}

function sorted(stats: readonly Stats[]): Stats[] {
  return [...stats].sort((a, b) =>
    a.SYMBOL < b.SYMBOL ? -1 : a.SYMBOL > b.SYMBOL ? 1 : a.WINDOWSTART - b.WINDOWSTART,
  );
}

function check(stdout: string): void {
  const found = sorted(
    stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Stats),
  );
  const wanted = sorted(expected());
  const exact = ({ SYMBOL, WINDOWSTART, LOWEST, MONTHS }: Stats): unknown[] => [
    SYMBOL,
    WINDOWSTART,
    LOWEST,
    MONTHS,
  ];
  expect(found.map(exact)).toEqual(wanted.map(exact));
  for (const [i, { AVERAGE }] of found.entries()) expect(AVERAGE).toBeCloseTo(wanted[i]!.AVERAGE, 9);
}

test('the windows of every symbol hold what the CSV says', async () => {
  const { code, stdout, stderr } = await millrace(['run', ...files, '--output', 'json']);
  expect(stderr).toBe('');
  check(stdout);
  expect(code).toBe(0);
});

describeKafka('on Kafka', (address) => {
  test('they hold the same', async () => {
    const service = uniqueName('stocks');
    const create = join(directory, 'create.sql');
    writeFileSync(
      create,
      readFileSync(files[0]!, 'utf8')
        .replace("KAFKA_TOPIC='stocks'", `KAFKA_TOPIC='${service}'`)
        .replace(
          'CREATE TABLE STOCK_STATS AS',
          `CREATE TABLE STOCK_STATS WITH (KAFKA_TOPIC='${service}-stats') AS`,
        ),
    );
    const args = [
      'run',
      create,
      ...files.slice(1),
      '--kafka',
      address,
      '--service-id',
      service,
      '--output',
      'json',
    ];
    const { code, stdout, stderr } = await millrace(args);
    expect(stderr).toBe('');
    check(stdout);
    expect(code).toBe(0);
  });
});
