/**
 * How long a row takes, from when it is handed to a producer until a read-committed reader has the row that a filter and
 * projection made of it, and what a transaction costs the broker: `npm run bench -- latency`. Our SQL and Kafka Streams, at
 * least once and exactly once, each in a process of its own, one at a time, in rounds, with the same commit interval, the same
 * producer and the same reader, which are here. A broker for all, and nothing else to do for it. Needs Linux.
 *
 *   --rounds N    rounds (3)                --rate N        rows a second (1000)
 *   --seconds N   measured a round (20)     --warm-up N     seconds before them (10)
 *   --commit N    commit interval, ms (100)   --only TEXT    those with TEXT in the name; may be given again
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { keepAlive, systemClock } from '../src/common/clock.ts';
import { openLogger, silentLogger } from '../src/common/logger.ts';
import { openKafkaLog } from '../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../src/log/log.ts';
import { openSql } from './contenders/sql.ts';
import { kafkaScript } from './kafka-script.ts';
import { compileKafkaStreams, type KafkaStreamsPeer, startPeer } from './kafka-streams.ts';
import { cpuSecondsOf } from './process-cpu.ts';
import { median, table } from './report.ts';
import { type Guarantee, GUARANTEES } from './scenarios.ts';
import { SeenRows } from './seen-rows.ts';
import { SteadyOrders } from './steady-orders.ts';
import { ORDERS } from './workload.ts';

interface Query {
  readonly address: string;
  readonly guarantee: Guarantee;
  readonly commitMs: number;
  readonly input: string;
  readonly output: string;
  readonly directory: string;
  readonly id: string;
}

interface Subject {
  readonly who: 'millrace' | 'kafka-streams';
  readonly guarantee: Guarantee;
  readonly rounds: Round[];
}

interface Round {
  /** Milliseconds, in order. */
  readonly latencies: Float64Array;
  /** Milliseconds a second. */
  readonly cpu: number;
  readonly brokerCpu: number;
  /** Transactions a second. */
  readonly transactions: number;
}

const PARTITIONS = 4;
/** What is to be reached at least once at 20,000 and 100,000 rows a second too: share of rows, and milliseconds. */
const FLOORS = [
  { share: 0.5, ms: 8 },
  { share: 0.99, ms: 60 },
] as const;
const STARTED_TIMEOUT_MS = 60_000;
const VISIBLE_TIMEOUT_MS = 60_000;

if (process.argv[2] === '--child') await runQuery(JSON.parse(process.argv[3]!) as Query);
else process.exitCode = await main();

/** The query in this process, until standard input ends. */
async function runQuery({
  address,
  guarantee,
  commitMs,
  input,
  output,
  directory,
  id,
}: Query): Promise<void> {
  keepAlive();
  const log = await openKafkaLog({
    brokers: [address],
    clientId: 'bench',
    clock: systemClock,
    logger: openLogger('error'),
  });
  const { engine, run } = await openSql({
    log,
    address,
    workload: { ...ORDERS, partitions: PARTITIONS, input, output },
    items: '',
    scenario: { name: 'filter-project', commitMs, output: 'stream' },
    guarantee,
    directory,
    id,
  });
  await run();
  process.stdin.on('data', () => {});
  await new Promise((resolve) => process.stdin.once('end', resolve));
  await engine.close();
  process.exit();
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '3' },
      seconds: { type: 'string', default: '20' },
      rate: { type: 'string', default: '1000' },
      'warm-up': { type: 'string', default: '10' },
      commit: { type: 'string', default: '100' },
      only: { type: 'string', multiple: true, default: [''] },
    },
  });
  const directory = mkdtempSync(join(tmpdir(), 'millrace-latency-'));
  const script = await kafkaScript();
  const kafka = await script.startKafka();
  const log = await openKafkaLog({
    brokers: [kafka.address],
    clientId: 'bench',
    clock: systemClock,
    logger: silentLogger,
  });
  const subjects = GUARANTEES.flatMap((guarantee) =>
    (['millrace', 'kafka-streams'] as const)
      .map((who): Subject => ({ who, guarantee, rounds: [] }))
      .filter(({ who }) => values.only.some((text) => `${who} ${guarantee}`.includes(text))),
  );
  try {
    const peer = compileKafkaStreams(
      'bench/kafka-streams/Peer.java',
      await script.kafkaClasspath(),
      directory,
    );
    for (let round = 1; round <= Number(values.rounds); round++)
      for (const [i, subject] of subjects.entries()) {
        const id = `latency${round}_${i}`;
        const query: Query = {
          address: kafka.address,
          guarantee: subject.guarantee,
          commitMs: Number(values.commit),
          input: `in_${id}`,
          output: `out_${id}`,
          directory: join(directory, id),
          id,
        };
        mkdirSync(query.directory);
        for (const name of [query.input, query.output])
          await log.admin.createTopic({ name, partitions: PARTITIONS });
        const child = start(subject, query, peer);
        try {
          const found = await measure(log, query, child, kafka.pid, {
            perSecond: Number(values.rate),
            warmUpMs: 1000 * Number(values['warm-up']),
            measuredMs: 1000 * Number(values.seconds),
          });
          subject.rounds.push(found);
          const [p50, p99] = [0.5, 0.99].map((share) => percentile(found, share).toFixed(1));
          console.error(`round ${round}  ${subject.who} ${subject.guarantee}  p50 ${p50} ms  p99 ${p99} ms`);
        } finally {
          await stop(child);
        }
        for (const name of [query.input, query.output]) await log.admin.deleteTopic(name);
      }
    console.log(report(subjects));
    return 0;
  } finally {
    await log.close();
    await kafka.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function start({ who }: Subject, query: Query, peer: KafkaStreamsPeer): ChildProcess {
  if (who === 'millrace')
    return spawn(
      process.execPath,
      ['--enable-source-maps', process.argv[1]!, '--child', JSON.stringify(query)],
      {
        stdio: ['pipe', 'inherit', 'inherit'],
      },
    );
  const { address, id, output, ...settings } = query;
  const child = startPeer(peer, {
    ...settings,
    bootstrap: address,
    scenario: 'filter-project',
    items: '',
    outputs: [output],
    application: id,
    records: 0,
    itemRecords: 0,
  });
  child.stdout.resume();
  return child;
}

/** At the end of its standard input it commits and ends. */
async function stop(child: ChildProcess): Promise<void> {
  const exited = new Promise((resolve) => child.once('exit', resolve));
  child.stdin!.end();
  if (child.exitCode === null) await exited;
}

interface Load {
  readonly perSecond: number;
  readonly warmUpMs: number;
  readonly measuredMs: number;
}

async function measure(
  log: Log,
  { input, output }: Query,
  child: ChildProcess,
  brokerPid: number,
  { perSecond, warmUpMs, measuredMs }: Load,
): Promise<Round> {
  const seen = new SeenRows(log.openReader({ gatherMs: 0 }), output, PARTITIONS);
  const following = seen.follow();
  const writer = await log.openWriter();
  const sentAt: number[] = [];
  const orders = new SteadyOrders(writer, { topic: input, partitions: PARTITIONS }, perSecond, (now) => {
    sentAt.push(now);
  });
  const sample = (): { at: number; row: number; transactions: number; cpu: number; broker: number } => ({
    at: performance.now(),
    row: sentAt.length,
    transactions: seen.transactions,
    cpu: cpuSecondsOf(child.pid!),
    broker: cpuSecondsOf(brokerPid),
  });
  try {
    const isThere = (rows: number, timeoutMs: number): Promise<void> =>
      Promise.race([following, until(() => seen.count >= rows, timeoutMs)]);
    // It has started when the first row is through.
    await isThere(1, STARTED_TIMEOUT_MS);
    await delay(warmUpMs);
    const before = sample();
    await delay(measuredMs);
    const after = sample();
    orders.stop();
    await isThere(sentAt.length, VISIBLE_TIMEOUT_MS);
    const seconds = (after.at - before.at) / 1000;
    const latencies = new Float64Array(after.row - before.row);
    for (let i = 0; i < latencies.length; i++)
      latencies[i] = seen.at[before.row + i]! - sentAt[before.row + i]!;
    return {
      latencies: latencies.sort(),
      cpu: (1000 * (after.cpu - before.cpu)) / seconds,
      brokerCpu: (1000 * (after.broker - before.broker)) / seconds,
      transactions: (after.transactions - before.transactions) / seconds,
    };
  } finally {
    orders.stop();
    await Promise.all([seen.close(), following]);
    await writer.close();
  }
}

async function until(isSo: () => boolean, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!isSo()) {
    if (performance.now() > deadline) throw new Error(`not all rows came within ${timeoutMs} ms`);
    await delay(10);
  }
}

function percentile({ latencies }: Pick<Round, 'latencies'>, share: number): number {
  return latencies[Math.min(latencies.length - 1, Math.floor(share * latencies.length))]!;
}

/** Medians of rounds. */
function report(subjects: readonly Subject[]): string {
  const of = ({ rounds }: Subject, value: (round: Round) => number): number => median(rounds.map(value));
  const [atLeastOnce] = GUARANTEES;
  const lines = subjects.map((subject) => {
    const transactions = of(subject, (round) => round.transactions);
    const brokerCpu = of(subject, (round) => round.brokerCpu);
    const without = subjects.find(({ who, guarantee }) => who === subject.who && guarantee === atLeastOnce);
    const more = without === undefined ? NaN : brokerCpu - of(without, (round) => round.brokerCpu);
    const each = (milliseconds: number): string =>
      transactions === 0 || Number.isNaN(milliseconds) ? '-' : (milliseconds / transactions).toFixed(1);
    return [
      `${subject.who} ${subject.guarantee}`,
      of(subject, (round) => percentile(round, 0.5)).toFixed(1),
      of(subject, (round) => percentile(round, 0.99)).toFixed(1),
      of(subject, (round) => percentile(round, 1)).toFixed(0),
      of(subject, (round) => round.cpu).toFixed(0),
      brokerCpu.toFixed(0),
      transactions.toFixed(1),
      each(brokerCpu),
      each(more),
    ];
  });
  const head = [
    'milliseconds',
    'p50',
    'p99',
    'max',
    'CPU a second',
    "broker's",
    'transactions a second',
    "broker's CPU for each",
    'above at least once',
  ];
  const judged = GUARANTEES.flatMap((guarantee) => {
    const [own, theirs] = subjects.filter((subject) => subject.guarantee === guarantee);
    if (own === undefined || theirs === undefined) return [];
    return [0.5, 0.99].map((share) => {
      const [a, b] = [own, theirs].map((subject) => of(subject, (round) => percentile(round, share)));
      const verdict = a! <= b! ? 'PASS' : 'FAIL';
      return `${verdict}  ${guarantee} p${100 * share}: millrace ${a!.toFixed(1)} ms, kafka-streams ${b!.toFixed(1)} ms, not to be above`;
    });
  });
  const own = subjects.find(({ who, guarantee }) => who === 'millrace' && guarantee === atLeastOnce);
  if (own !== undefined)
    for (const { share, ms } of FLOORS) {
      const found = of(own, (round) => percentile(round, share));
      const verdict = found <= ms ? 'PASS' : 'FAIL';
      judged.push(
        `${verdict}  ${atLeastOnce} p${100 * share}: millrace ${found.toFixed(1)} ms, at most ${ms} ms`,
      );
    }
  return `\n${table([head, ...lines])}\n\n${judged.join('\n')}`;
}
