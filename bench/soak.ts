/**
 * A steady trickle: `npm run soak`. One server on one broker runs two queries, a filter and a windowed count, over a topic to
 * which rows are written evenly; it runs long enough for what grows to be seen. Printed are the server's CPU time, and its
 * memory and descriptors early and late: the median of the minutes 10 to 20 of an hour and of its last ten, or the same shares of
 * a shorter run. Ends with 1 when late is above early by more than a twentieth, or rows are missing. The server is the built
 * one (`npm run build`). Needs Linux.
 *
 *   --minutes N     measured (60)          --rate N          rows a second (2000)
 *   --warm-up N     seconds before (10)    --guarantee G     at_least_once (that) or exactly_once_v2
 *   --profile FILE  a CPU profile of the server, from its start
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { systemClock } from '../src/common/clock.ts';
import { silentLogger } from '../src/common/logger.ts';
import { openKafkaLog } from '../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../src/log/log.ts';
import { kafkaScript } from './kafka-script.ts';
import { cpuSecondsOf, residentMegabytes } from './process-cpu.ts';
import { median, table } from './report.ts';
import type { BenchServer } from './server.ts';
import { startQueries } from './start-queries.ts';
import { SteadyOrders } from './steady-orders.ts';
import { UNITS_OVER } from './workload.ts';

const PARTITIONS = 4;
const SAMPLE_MS = 1000;
const TELL_EVERY = 60;
/** So many times the early median the late one may be. */
const GROWTH_MAX = 1.05;
const ARRIVED_MS = 30_000;

interface Sample {
  readonly megabytes: number;
  readonly descriptors: number;
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '60' },
    rate: { type: 'string', default: '2000' },
    'warm-up': { type: 'string', default: '10' },
    guarantee: { type: 'string', default: 'at_least_once' },
    profile: { type: 'string' },
  },
});

process.exitCode = await main();

async function main(): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-soak-'));
  const kafka = await (await kafkaScript()).startKafka();
  const log = await openKafkaLog({
    brokers: [kafka.address],
    clientId: 'bench',
    clock: systemClock,
    logger: silentLogger,
  });
  let server: BenchServer | null = null;
  try {
    // An hour's rows are not to fill the disk.
    const configs = { 'retention.ms': '300000', 'segment.ms': '60000' };
    for (const name of ['orders', 'large'])
      await log.admin.createTopic({ name, partitions: PARTITIONS, configs });
    server = await startQueries({
      address: kafka.address,
      directory,
      serviceId: 'soak',
      settings: [`processing.guarantee=${values.guarantee}`],
      statements: [
        `CREATE STREAM ORDERS (K VARCHAR KEY, ORDERTIME BIGINT, ORDERID BIGINT, ITEMID VARCHAR, ORDERUNITS DOUBLE)
          WITH (KAFKA_TOPIC='orders', VALUE_FORMAT='JSON');`,
        `CREATE STREAM LARGE WITH (KAFKA_TOPIC='large', VALUE_FORMAT='JSON') AS
          SELECT K, ORDERID, ITEMID, ORDERTIME FROM ORDERS WHERE ORDERUNITS > ${UNITS_OVER} EMIT CHANGES;`,
        `CREATE TABLE COUNTS WITH (PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON') AS SELECT K, COUNT(*) AS N
          FROM ORDERS WINDOW TUMBLING (SIZE 10 SECONDS, RETENTION 1 MINUTE, GRACE PERIOD 10 SECONDS)
          GROUP BY K EMIT CHANGES;`,
      ],
      profile: values.profile,
    });
    return await soak(log, server.pid);
  } finally {
    await server?.stop();
    await log.close();
    await kafka.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function soak(log: Log, pid: number): Promise<number> {
  const writer = await log.openWriter();
  const orders = new SteadyOrders(writer, { topic: 'orders', partitions: PARTITIONS }, Number(values.rate));
  await delay(1000 * Number(values['warm-up']));
  const samples: Sample[] = [];
  const cpu = cpuSecondsOf(pid);
  const begin = performance.now();
  const count = Math.round((60_000 * Number(values.minutes)) / SAMPLE_MS);
  let toldCpu = cpu;
  let toldAt = begin;
  while (samples.length < count) {
    await delay(begin + (samples.length + 1) * SAMPLE_MS - performance.now());
    const sample = {
      megabytes: residentMegabytes(pid),
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
    };
    samples.push(sample);
    if (samples.length % TELL_EVERY !== 0) continue;
    const now = cpuSecondsOf(pid);
    const share = shareOf(now - toldCpu, performance.now() - toldAt);
    toldCpu = now;
    toldAt = performance.now();
    const seconds = (samples.length * SAMPLE_MS) / 1000;
    const { megabytes, descriptors } = sample;
    console.error(`${seconds} s  ${share} of a core  ${megabytes.toFixed(0)} MB  ${descriptors} descriptors`);
  }
  const used = cpuSecondsOf(pid) - cpu;
  const share = shareOf(used, performance.now() - begin);
  orders.stop();
  await writer.flush();
  const kept = await arrived(log, orders.sent);
  await writer.close();

  const early = samples.slice(Math.floor(count / 6), Math.floor(count / 3));
  const late = samples.slice(-Math.ceil(count / 6));
  const measures = [
    ['resident memory, MB', (sample: Sample) => sample.megabytes],
    ['descriptors', (sample: Sample) => sample.descriptors],
  ] as const;
  const lines = measures.map(([name, of]) => ({
    name,
    early: median(early.map(of)),
    late: median(late.map(of)),
  }));
  console.log(
    table([
      [`${values.minutes} minutes of ${values.rate} rows a second`, 'early', 'late'],
      ...lines.map((line) => [line.name, line.early.toFixed(1), line.late.toFixed(1)]),
    ]),
  );
  console.log(`\n${share} of a core, ${((1e6 * used) / (count * Number(values.rate))).toFixed(1)} µs a row`);
  const verdicts = lines.map(({ name, early: before, late: after }) => ({
    passes: after <= before * GROWTH_MAX,
    text: `${name}: late ${(after / before).toFixed(3)} of early, at most ${GROWTH_MAX}`,
  }));
  verdicts.push({
    passes: kept >= orders.sent,
    text: `the filter wrote ${kept} of ${orders.sent} rows`,
  });
  for (const { passes, text } of verdicts) console.log(`${passes ? 'PASS' : 'FAIL'}  ${text}`);
  return verdicts.every(({ passes }) => passes) ? 0 : 1;
}

/** How many rows the filter has written, at once when those are all that were sent. */
async function arrived(log: Log, sent: number): Promise<number> {
  const deadline = performance.now() + ARRIVED_MS;
  for (;;) {
    const rows = (await log.admin.offsets('large')).reduce((sum, { end }) => sum + end, 0);
    if (rows >= sent || performance.now() > deadline) return rows;
    await delay(100);
  }
}

function shareOf(cpuSeconds: number, milliseconds: number): string {
  return `${((100_000 * cpuSeconds) / milliseconds).toFixed(1)} %`;
}
