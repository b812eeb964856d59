/**
 * What a restart with much state costs: `npm run bench -- restart`. The built server (`npm run build`) counts over many keys, ends
 * (by SIGTERM, and by SIGKILL), and starts again. How long until its port is open, against an empty start's time; CPU seconds until
 * the first new output; memory; and how long pulls by key take while the query catches up, and when it is idle. Needs Linux.
 *
 *   --keys LIST   (1000000,5000000)     --kafka        on a broker of its own; state in a data directory all the same
 *   --pulls N     a run (2000)          --end KIND     clean or kill (both)
 *   --no-state    on Kafka: without a data directory, so that all comes from the changelog
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BenchKafka, kafkaScript } from './kafka-script.ts';
import { table } from './report.ts';
import { BenchServer } from './server.ts';
import { declarations, nameOf, statementsOf, type StateWorkload } from './state-workload.ts';
import { randomOf } from './workload.ts';

const LISTEN_MS_MAX = 500;
const OUTPUT_CPU_SECONDS_MAX = 2;
const MEMORY_RATIO_MAX = 1.3;
const PULL_P99_MS_MAX = { catchingUp: 50, idle: 5 };
const TIMEOUT_MS = 600_000;
const QUERY = 'count';
const TABLE = nameOf(QUERY);

const { values } = parseArgs({
  options: {
    keys: { type: 'string', default: '1000000,5000000' },
    pulls: { type: 'string', default: '2000' },
    end: { type: 'string', multiple: true, default: ['clean', 'kill'] },
    kafka: { type: 'boolean', default: false },
    'no-state': { type: 'boolean', default: false },
  },
});

const verdicts: string[] = [];
let failed = false;
const rows: string[][] = [];
for (const keys of values.keys.split(',').map(Number)) await restarts(keys);
const head = ['keys, end', 'port, ms', 'empty, ms', 'output, CPU s', 'MB before', 'MB after'];
console.log(`\n${table([head, ...rows])}\n\n${verdicts.join('\n')}`);
process.exitCode = failed ? 1 : 0;

function judge(ok: boolean, text: string): void {
  failed ||= !ok;
  verdicts.push(`${ok ? 'PASS' : 'FAIL'}  ${text}`);
  console.error(verdicts.at(-1));
}

async function restarts(keys: number): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-restart-'));
  let kafka: BenchKafka | null = null;
  let server: BenchServer | null = null;
  try {
    if (values.kafka) kafka = await (await kafkaScript()).startKafka();
    const place = kafka === null ? [] : ['--kafka', kafka.address];
    const start = (name: string): Promise<BenchServer> =>
      BenchServer.start([
        ...place,
        ...(values['no-state'] ? [] : ['--data-dir', join(directory, name)]),
        '--service-id',
        `restart_${name}`,
        '--set',
        'auto.offset.reset=earliest',
      ]);
    const emptyMs: number[] = [];
    for (let i = 0; i < 3; i++) {
      const empty = await start(`empty${i}`);
      emptyMs.push(empty.listenedMs);
      await empty.stop();
    }
    const empty = emptyMs.sort((a, b) => a - b)[1]!;

    const workload: StateWorkload = { records: keys * 2, keys, valueBytes: 100, partitions: 4, seed: 7 };
    const step = {
      step: 'write',
      query: QUERY,
      workload,
      place: kafka === null ? { directory: join(directory, 'full') } : { address: kafka.address },
      queries: 1,
    };
    const written = spawnSync(
      process.execPath,
      ['scripts/run-ts.js', 'bench/state.ts', '--child', JSON.stringify(step)],
      { stdio: ['ignore', 'inherit', 'inherit'] },
    );
    if (written.status !== 0) throw new Error('the input could not be written');

    server = await start('full');
    await server.execute(declarations(QUERY));
    await server.execute(statementsOf(QUERY, workload));
    judgePulls(await pullTimes(server, keys, () => true), `${keys / 1e6} M, catching up`, 'catchingUp');
    await server.drained([TABLE], TIMEOUT_MS);
    judgePulls(await pullTimes(server, keys, () => false), `${keys / 1e6} M, idle`, 'idle');

    for (const end of values.end) {
      const before = server.usage().residentMb;
      const key = `Item_${end === 'clean' ? 1 : 2}`;
      const count = (await countOf(server, key)) ?? 0;
      if (end === 'clean') await server.stop();
      else await server.kill();
      server = await start('full');
      await server.execute(`INSERT INTO EVENTS (K, ID, TEXT) VALUES ('${key}', 0, 'new');`);
      await until(async () => (await countOf(server!, key)) === count + 1);
      const { cpuSeconds } = server.usage();
      await server.drained([TABLE], TIMEOUT_MS);
      await pullTimes(server, keys, () => false);
      const after = server.usage().residentMb;
      const name = `${keys / 1e6} M, ${end}`;
      rows.push([
        name,
        server.listenedMs.toFixed(0),
        empty.toFixed(0),
        cpuSeconds.toFixed(2),
        before.toFixed(0),
        after.toFixed(0),
      ]);
      const late = server.listenedMs - empty;
      judge(
        late <= LISTEN_MS_MAX,
        `${name}: the port ${late.toFixed(0)} ms after an empty start's, at most ${LISTEN_MS_MAX}`,
      );
      judge(
        cpuSeconds <= OUTPUT_CPU_SECONDS_MAX,
        `${name}: first output after ${cpuSeconds.toFixed(2)} CPU seconds, at most ${OUTPUT_CPU_SECONDS_MAX}`,
      );
      judge(
        after <= before * MEMORY_RATIO_MAX,
        `${name}: ${(after / before).toFixed(2)} times the memory before, at most ${MEMORY_RATIO_MAX}`,
      );
    }
    await server.stop();
  } finally {
    await server?.kill();
    await kafka?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Null when there is no row, or nobody answers yet. */
async function countOf(server: BenchServer, key: string): Promise<number | null> {
  const found = await server.pull(`SELECT N FROM ${TABLE} WHERE K = '${key}';`).catch(() => []);
  return (found[0]?.[0] as number | undefined) ?? null;
}

/** Milliseconds of pulls by keys at random, one after another; while `isBusy` until the query has drained. */
async function pullTimes(server: BenchServer, keys: number, isBusy: () => boolean): Promise<number[]> {
  const random = randomOf(11);
  const times: number[] = [];
  let drained = !isBusy();
  const watched = isBusy() ? server.drained([TABLE], TIMEOUT_MS).then(() => (drained = true)) : null;
  while (times.length < Number(values.pulls) && (!isBusy() || !drained)) {
    const begin = performance.now();
    await server.pull(`SELECT N FROM ${TABLE} WHERE K = 'Item_${Math.floor(random() * keys)}';`);
    times.push(performance.now() - begin);
  }
  await watched;
  return times.sort((a, b) => a - b);
}

function judgePulls(times: readonly number[], name: string, kind: keyof typeof PULL_P99_MS_MAX): void {
  const p = (part: number): number => times[Math.floor((times.length - 1) * part)]!;
  const limit = PULL_P99_MS_MAX[kind];
  judge(
    p(0.99) <= limit,
    `${name}: ${times.length} pulls, p50 ${p(0.5).toFixed(1)}, p99 ${p(0.99).toFixed(1)}, most ${p(1).toFixed(1)} ms; p99 at most ${limit}`,
  );
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error('it did not come');
    await delay(5);
  }
}
