/**
 * What queries cost that have nothing to do: `npm run bench -- idle`. One server on one broker runs many persistent queries
 * over a few topics, to which nothing is written; counted are its connections to the broker, memory, and the CPU time of both.
 * The server is the built one (`npm run build`). Needs Linux.
 *
 *   --queries N   (1000)                --guarantee G   at_least_once or exactly_once_v2 (that)
 *   --topics N    read by them (4)      --seconds N     measured (30)
 *   --settle N    seconds before (70)   --profile FILE  a CPU profile of the server, from its start
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type BenchKafka, kafkaScript } from './kafka-script.ts';
import { connectionsTo, cpuSecondsOf, residentMegabytes } from './process-cpu.ts';
import { table } from './report.ts';
import type { BenchServer } from './server.ts';
import { startQueries } from './start-queries.ts';

const PARTITIONS = 4;

const { values } = parseArgs({
  options: {
    queries: { type: 'string', default: '1000' },
    topics: { type: 'string', default: '4' },
    guarantee: { type: 'string', default: 'exactly_once_v2' },
    seconds: { type: 'string', default: '30' },
    settle: { type: 'string', default: '70' },
    profile: { type: 'string' },
  },
});

const directory = mkdtempSync(join(tmpdir(), 'millrace-idle-'));
const kafka = await (await kafkaScript()).startKafka();
let server: BenchServer | null = null;
try {
  const port = Number(kafka.address.split(':')[1]);
  const alone = await usage(kafka, null, Number(values.seconds));
  server = await startServer(kafka.address, directory);
  const startedMs = server.listenedMs;
  // Connections that only the start needed are closed when nothing has come over them for half a minute.
  await delay(1000 * Number(values.settle));
  const idle = await usage(kafka, server.pid, Number(values.seconds));
  const rows = [
    ['', 'all', 'a query'],
    ['started in, ms', startedMs.toFixed(0), each(startedMs, 1)],
    ['connections to the broker', String(connectionsTo(port)), each(connectionsTo(port), 2)],
    ["server's memory, MB", residentMegabytes(server.pid).toFixed(0), each(residentMegabytes(server.pid), 2)],
    ["server's CPU, ms a second", idle.server.toFixed(0), each(idle.server, 3)],
    ["broker's CPU, ms a second", idle.broker.toFixed(0), each(idle.broker - alone.broker, 3)],
    ["broker's without them", alone.broker.toFixed(0), '-'],
  ];
  console.log(
    `${values.queries} queries over ${values.topics} topics, ${values.guarantee}\n\n${table(rows)}`,
  );
} finally {
  await server?.stop();
  await kafka.stop();
  rmSync(directory, { recursive: true, force: true });
}

function each(all: number, digits: number): string {
  return (all / Number(values.queries)).toFixed(digits);
}

/** Milliseconds of CPU time a second. */
async function usage(
  { pid }: BenchKafka,
  serverPid: number | null,
  seconds: number,
): Promise<{ broker: number; server: number }> {
  const sample = (): { at: number; broker: number; server: number } => ({
    at: performance.now(),
    broker: cpuSecondsOf(pid),
    server: serverPid === null ? 0 : cpuSecondsOf(serverPid),
  });
  const before = sample();
  await delay(1000 * seconds);
  const after = sample();
  const a = (from: number, to: number): number => (1e6 * (to - from)) / (after.at - before.at);
  return { broker: a(before.broker, after.broker), server: a(before.server, after.server) };
}

/** Resolves when all its queries run. */
function startServer(address: string, folder: string): Promise<BenchServer> {
  const topics = Number(values.topics);
  const statements = Array.from(
    { length: topics },
    (_, i) =>
      `CREATE STREAM S${i} (K VARCHAR KEY, V BIGINT) WITH (KAFKA_TOPIC='idle_${i}', PARTITIONS=${PARTITIONS}, VALUE_FORMAT='JSON');`,
  );
  for (let i = 0; i < Number(values.queries); i++)
    statements.push(
      `CREATE STREAM Q${i} WITH (PARTITIONS=1) AS SELECT K, V + ${i} AS V FROM S${i % topics} WHERE V > ${i} EMIT CHANGES;`,
    );
  return startQueries({
    address,
    directory: folder,
    serviceId: 'idle',
    settings: [`processing.guarantee=${values.guarantee}`],
    statements,
    profile: values.profile,
  });
}
