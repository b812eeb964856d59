/**
 * State that outgrows memory: `npm run bench -- state` (or `--only state`). The built server (`npm run build`) with a small heap
 * counts, counts by window, keeps the latest and joins over many keys, from a data directory; what it wrote is held to a
 * count of its own. Records per CPU second of the server and the most that it had in memory. Needs Linux.
 *
 *   --keys LIST     of keys (1000000,5000000); five records a key, two from 5,000,000 on
 *   --records N     instead of that         --query TEXT    queries with TEXT in the name; may be given again
 *   --value N       bytes of a value (100)  --heap MB       of Node.js (512); 0: as it is
 *   --memory SIZE   the server's --memory   --rounds N      (1)
 *   --queries N     so many of each at once (1)
 *   --kafka         on a broker of its own, without a data directory
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keepAlive, systemClock } from '../src/common/clock.ts';
import { openLogger } from '../src/common/logger.ts';
import { openEmbeddedLog } from '../src/log/embedded/embedded-log.ts';
import { openKafkaLog } from '../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../src/log/log.ts';
import { type BenchKafka, kafkaScript } from './kafka-script.ts';
import { table } from './report.ts';
import { BenchServer } from './server.ts';
import {
  declarations,
  nameOf,
  STATE_QUERIES,
  type StateQuery,
  statementsOf,
  type StateWorkload,
  verify,
  writeEvents,
  writeItems,
} from './state-workload.ts';

interface Floor {
  readonly keys: number;
  readonly recordsPerCpuSecond: Readonly<Record<StateQuery, number>>;
}

/** What is to be reached with values of 100 bytes. */
const FLOOR: Floor = {
  keys: 5_000_000,
  recordsPerCpuSecond: { count: 250_000, 'windowed-count': 150_000, join: 150_000, latest: 100_000 },
};
const RESIDENT_MB_MAX = { byDefault: 1024, with256: 600 };
const TIMEOUT_MS = 600_000;
const COMMIT_MS = '100';

/** What a process of its own does: the log of the server is its own while it runs. */
interface Step {
  readonly step: 'write' | 'verify';
  readonly query: StateQuery;
  readonly workload: StateWorkload;
  readonly place: Place;
  readonly queries: number;
}

type Place = { readonly directory: string } | { readonly address: string };

if (process.argv[2] === '--child') await runStep(JSON.parse(process.argv[3]!) as Step);
else process.exitCode = await main();

async function runStep({ step, query, workload, place, queries }: Step): Promise<void> {
  keepAlive();
  const log = await openLog(place);
  if (step === 'write') {
    await writeEvents(log, workload);
    if (query === 'join') await writeItems(log, workload);
  } else for (let number = 0; number < queries; number++) await verify(log, query, workload, number);
  await log.close();
  process.exit();
}

function openLog(place: Place): Promise<Log> {
  const shared = { clock: systemClock, logger: openLogger('error') };
  return 'directory' in place
    ? openEmbeddedLog({ directory: join(place.directory, 'log'), ...shared })
    : openKafkaLog({ brokers: [place.address], clientId: 'bench', ...shared });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      keys: { type: 'string', default: '1000000,5000000' },
      records: { type: 'string' },
      query: { type: 'string', multiple: true, default: [''] },
      value: { type: 'string', default: '100' },
      heap: { type: 'string', default: '512' },
      memory: { type: 'string' },
      rounds: { type: 'string', default: '1' },
      queries: { type: 'string', default: '1' },
      kafka: { type: 'boolean', default: false },
      only: { type: 'string' },
    },
  });
  const lines: string[][] = [];
  const judged: string[] = [];
  let failed = false;
  for (let round = 1; round <= Number(values.rounds); round++)
    for (const keys of values.keys.split(',').map(Number))
      for (const query of STATE_QUERIES.filter((name) => values.query.some((text) => name.includes(text)))) {
        const workload: StateWorkload = {
          records: Number(values.records ?? keys * (keys < 5_000_000 ? 5 : 2)),
          keys,
          valueBytes: Number(values.value),
          partitions: 4,
          seed: 7,
        };
        try {
          const run = await measured(query, workload, {
            heapMb: Number(values.heap),
            memory: values.memory,
            queries: Number(values.queries),
            kafka: values.kafka,
          });
          lines.push([
            `${query} ${keys / 1e6} M`,
            `${Math.round(run.rate / 1000)} K`,
            run.seconds.toFixed(0),
            run.peakMb.toFixed(0),
            'right',
          ]);
          console.error(lines.at(-1)!.join('  '));
          const limit = values.memory === '256M' ? RESIDENT_MB_MAX.with256 : RESIDENT_MB_MAX.byDefault;
          const verdict = (ok: boolean, text: string): void => {
            failed ||= !ok;
            judged.push(`${ok ? 'PASS' : 'FAIL'}  ${query} ${keys / 1e6} M: ${text}`);
          };
          verdict(run.peakMb <= limit, `${run.peakMb.toFixed(0)} MB resident, at most ${limit}`);
          const floor = FLOOR.recordsPerCpuSecond[query];
          if (keys >= FLOOR.keys)
            verdict(run.rate >= floor, `${Math.round(run.rate / 1000)} K, floor ${floor / 1000} K`);
        } catch (error) {
          failed = true;
          lines.push([`${query} ${keys / 1e6} M`, '-', '-', '-', 'FAILED']);
          console.error(`${query} ${keys}: ${String(error)}`);
        }
      }
  const head = ['query and keys', 'records per CPU second', 'seconds', 'most MB', 'result'];
  console.log(`\n${table([head, ...lines])}\n\n${judged.join('\n')}`);
  return failed ? 1 : 0;
}

interface Given {
  readonly heapMb: number;
  readonly memory: string | undefined;
  readonly queries: number;
  readonly kafka: boolean;
}

async function measured(
  query: StateQuery,
  workload: StateWorkload,
  { heapMb, memory, queries, kafka: onKafka }: Given,
): Promise<{ readonly rate: number; readonly seconds: number; readonly peakMb: number }> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-state-'));
  let kafka: BenchKafka | null = null;
  let server: BenchServer | null = null;
  try {
    if (onKafka) kafka = await (await kafkaScript()).startKafka();
    const place: Place = kafka === null ? { directory } : { address: kafka.address };
    const child = { query, workload, place, queries };
    runChild({ step: 'write', ...child });
    server = await BenchServer.start(
      [
        ...(kafka === null ? ['--data-dir', directory] : ['--kafka', kafka.address]),
        ...(memory === undefined ? [] : ['--memory', memory]),
        '--set',
        `commit.interval.ms=${COMMIT_MS}`,
        '--set',
        'processing.guarantee=at_least_once',
        '--set',
        'auto.offset.reset=earliest',
      ],
      heapMb === 0 ? [] : [`--max-old-space-size=${heapMb}`],
    );
    await server.execute(declarations(query));
    const before = server.usage();
    const begin = performance.now();
    const numbers = Array.from({ length: queries }, (_, number) => number);
    for (const number of numbers) await server.execute(statementsOf(query, workload, number));
    await server.drained(
      numbers.map((number) => nameOf(query, number)),
      TIMEOUT_MS,
    );
    const seconds = (performance.now() - begin) / 1000;
    const { cpuSeconds, peakMb } = server.usage();
    await server.stop();
    runChild({ step: 'verify', ...child });
    const records = queries * (workload.records + (query === 'join' ? workload.keys * 0.9 : 0));
    return { rate: records / (cpuSeconds - before.cpuSeconds), seconds, peakMb };
  } finally {
    await server?.kill();
    await kafka?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function runChild(step: Step): void {
  const args = ['--enable-source-maps', process.argv[1]!, '--child', JSON.stringify(step)];
  const { status } = spawnSync(process.execPath, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${step.step} failed`);
}
