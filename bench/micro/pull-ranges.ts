/**
 * What a pull query costs that reads a range of 10 keys, beside one that looks a key up, and in a table of 1,000,000 keys
 * beside one of 100,000: in one engine, by turns, while 5,000 updates of each table arrive a second, one in ten of them of
 * a new key. `node scripts/run-ts.js bench/micro/pull-ranges.ts`. Ratios are of medians; 3 and 1.3 are the most there may be.
 */
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open-engine.ts';
import { newSession } from '../../src/engine/session.ts';
import { appendRecord } from '../../src/log/append-record.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../src/state/task-state.ts';

const SIZES = { SMALL: 100_000, LARGE: 1_000_000 } as const;
const UPDATES_PER_SECOND = 5000;
const NEW_KEYS = 0.1;
const ROUNDS = 300;
const WARM_UP = 50;

let seed = 1;
function random(bound: number): number {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return Math.floor((seed / 2 ** 32) * bound);
}
/** Ends with a zero, so that there is room for new keys before the next. */
const keyOf = (n: number): string => `key-${String(n).padStart(8, '0')}0`;

async function run(engine: Engine, sql: string): Promise<number> {
  let rows = 0;
  for (const statement of parseStatements(sql)) {
    const result = await engine.execute(statement, newSession());
    if (result.kind !== 'rows') continue;
    for (let batch = await result.rows.next(); batch !== null; batch = await result.rows.next())
      rows += batch.rows.length;
    await result.rows.close();
  }
  return rows;
}

const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
const engine = await openEngine({
  log,
  stateDirectory: null,
  state: openStateBackend(),
  clock: systemClock,
  random: () => 0.5,
  logger: silentLogger,
  serviceId: 'bench',
  commandLog: false,
  version: 'bench',
});
const writer = await log.openWriter();
const headers: never[] = [];
const put = (table: string, key: string): void =>
  appendRecord(
    writer,
    { topic: table, partition: 0 },
    { timestamp: 0, key: Buffer.from(key), value: Buffer.from('{"V":1}'), headers },
  );

for (const [table, size] of Object.entries(SIZES)) {
  await run(
    engine,
    `CREATE STREAM S_${table} (K STRING KEY, V INT)
       WITH (KAFKA_TOPIC='${table}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);
     CREATE TABLE ${table} AS SELECT K, COUNT(*) AS N FROM S_${table} GROUP BY K;`,
  );
  for (let i = 0; i < size; i++) {
    put(table, keyOf((i * 7919) % size));
    if (i % 50_000 === 0) await writer.flush();
  }
  await writer.flush();
  await engine.drain();
}

const median = (times: number[]): number => times.sort((a, b) => a - b)[times.length >>> 1]!;
const micros = (ms: number): string => `${(ms * 1000).toFixed(0)} µs`;

for (const [table, size] of Object.entries(SIZES)) {
  const begin = systemClock.monotonic();
  await run(engine, `SELECT * FROM ${table} WHERE K >= '${keyOf(0)}' AND K <= '${keyOf(9)}';`);
  const ms = systemClock.monotonic() - begin;
  console.log(`the first range of ${size} keys, which puts them in order: ${ms.toFixed(0)} ms`);
}

let updates = 0;
const began = systemClock.monotonic();
function update(): void {
  const due = ((systemClock.monotonic() - began) / 1000) * UPDATES_PER_SECOND;
  for (; updates < due; updates++)
    for (const [table, size] of Object.entries(SIZES)) {
      const key = keyOf(random(size));
      put(table, random(100) < NEW_KEYS * 100 ? `${key.slice(0, -1)}1${updates}` : key);
    }
  void writer.flush();
}
let cancel = systemClock.setTimer(5, function again() {
  update();
  cancel = systemClock.setTimer(5, again);
});

const READS = ['point', 'range'] as const;
const times = new Map<string, number[]>();
for (let round = -WARM_UP; round < ROUNDS; round++)
  for (const [table, size] of Object.entries(SIZES))
    for (const read of READS) {
      const n = random(size - 10);
      const where = read === 'point' ? `K = '${keyOf(n)}'` : `K >= '${keyOf(n)}' AND K <= '${keyOf(n + 9)}'`;
      const begin = systemClock.monotonic();
      const rows = await run(engine, `SELECT * FROM ${table} WHERE ${where};`);
      const ms = systemClock.monotonic() - begin;
      if (read === 'point' ? rows !== 1 : rows < 10) throw new Error(`${read} gave ${rows} rows`);
      if (round < 0) continue;
      const name = `${read} ${table}`;
      const all = times.get(name);
      if (all === undefined) times.set(name, [ms]);
      else all.push(ms);
      // The others have their turn, as between the queries of clients.
      await new Promise<void>((resolve) => void systemClock.setTimer(0, resolve));
    }
cancel();
const seconds = (systemClock.monotonic() - began) / 1000;
const at = (name: string): number => median(times.get(name)!);
for (const name of times.keys()) console.log(`${name.padEnd(12)} ${micros(at(name))}`);
console.log(`updates of each table: ${Math.round(updates / seconds)}/s`);
console.log(
  `10 keys of ${SIZES.LARGE} beside 1:              ${(at('range LARGE') / at('point LARGE')).toFixed(2)} (at most 3)`,
);
console.log(
  `10 keys of ${SIZES.LARGE} beside 10 of ${SIZES.SMALL}:  ${(at('range LARGE') / at('range SMALL')).toFixed(2)} (at most 1.3)`,
);
await writer.flush();
await writer.close();
await engine.close();
await log.close();
