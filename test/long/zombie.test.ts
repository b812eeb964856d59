import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { javaReadCommitted } from '../harness/java-read-committed.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { produce } from '../harness/log-records.ts';
import { ServiceProcess } from '../harness/service-process.ts';

/** Processes that are stopped for longer than their sessions, and killed, while there is much to do. Takes four minutes. */

const COUNTS = 'SELECT N FROM T;';

describeKafka('processes that slept', (address) => {
  const directories: string[] = [];
  const started: ServiceProcess[] = [];
  const logs: Log[] = [];
  afterEach(async () => {
    for (const { process } of started.splice(0)) {
      process.process.kill('SIGCONT');
      await process.kill('SIGKILL');
    }
    await Promise.all(logs.splice(0).map((log) => log.close()));
    for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
  });

  const directory = (): string => {
    const made = mkdtempSync(join(tmpdir(), 'millrace-zombie-'));
    directories.push(made);
    return made;
  };
  const start = async (service: string, data = directory()): Promise<ServiceProcess> => {
    const server = await ServiceProcess.start(address, service, ['--data-dir', data]);
    started.push(server);
    return server;
  };
  const open = async (): Promise<Log> => {
    const log = await openKafkaLog({
      brokers: [address],
      clientId: 'rows',
      clock: systemClock,
      logger: silentLogger,
    });
    logs.push(log);
    return log;
  };
  const declare = (topic: string): string =>
    `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=4);
     CREATE TABLE T WITH (KAFKA_TOPIC='${topic}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`;
  const insert = async (
    log: Log,
    topic: string,
    from: number,
    count: number,
    keys: number,
  ): Promise<void> => {
    for (let at = from; at < from + count; at += 20_000)
      await produce(
        log,
        topic,
        Array.from({ length: Math.min(20_000, from + count - at) }, (_, i) => {
          return { key: `k${(at + i) % keys}`, value: '{"V":1}', timestamp: 1000 };
        }),
      );
  };
  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
  const sumOf = (rows: unknown[][]): number => rows.reduce((sum, [n]) => sum + (n as number), 0);
  /** Resolves when the sum of all counts is at least `least`, to what it is; while it is not, the server is left alone. */
  const counted = async (server: ServiceProcess, least: number): Promise<number> => {
    for (;;) {
      const sum = await server.pull(COUNTS).then(sumOf, () => -1);
      if (sum >= least) return sum;
      await pause(1000);
    }
  };
  /** Whether the changes of each key are its counts from 1 on, none missing, none twice; returns how many there are. */
  const judge = async (topic: string): Promise<number> => {
    const { records, ends } = await javaReadCommitted(address, [topic]);
    const last = new Map<string, number>();
    for (const { key, value } of records) {
      const { N: n } = JSON.parse(value!.toString()) as { N: number };
      const name = key!.toString();
      expect(n, name).toBe((last.get(name) ?? 0) + 1);
      last.set(name, n);
    }
    for (const { lastStableOffset, highWatermark } of ends) expect(lastStableOffset).toBe(highWatermark);
    return records.length;
  };

  test('402,000 rows are counted once, whoever slept, woke and was killed', async () => {
    const service = uniqueName('zombie');
    const log = await open();
    const data = directory();
    const a = await start(service, data);
    await a.post(declare(service));
    await insert(log, service, 0, 2000, 100_000);
    expect(await counted(a, 2000)).toBe(2000);
    const b = await start(service);
    await b.until(() => b.queries(), { CTAS_T_0: `WAITING ${a.url}` });

    a.process.process.kill('SIGSTOP');
    await insert(log, service, 2000, 400_000, 100_000);
    await counted(b, 20_000);
    a.process.process.kill('SIGCONT');
    const woken = Date.now();
    await a.process.until(() => a.process.stderr.includes('WAITING'), 'it waits');
    expect(Date.now() - woken).toBeLessThan(2000);
    expect(a.process.stderr.indexOf('FENCED')).toBeLessThan(a.process.stderr.indexOf('WAITING'));
    await expect(a.pull(COUNTS)).rejects.toThrow('run in another process');

    await b.process.kill('SIGKILL');
    await counted(a, 30_000);
    await a.process.kill('SIGKILL');
    const c = await start(service, data);
    expect(await counted(c, 402_000)).toBe(402_000);
    expect(await judge(`${service}-t`)).toBe(402_000);
  }, 300_000);

  test('one that is alone and sleeps for 30 s again and again goes on by itself', async () => {
    const service = uniqueName('sleeper');
    const log = await open();
    const a = await start(service);
    await a.post(declare(service));
    let rows = 0;
    let ended = false;
    const load = (async () => {
      while (!ended) {
        await insert(log, service, rows, 500, 1000);
        rows += 500;
        await pause(100);
      }
    })();
    for (let i = 0; i < 3; i++) {
      await counted(a, rows + 1000);
      a.process.process.kill('SIGSTOP');
      await pause(30_000);
      a.process.process.kill('SIGCONT');
    }
    await counted(a, rows);
    ended = true;
    await load;
    expect(await counted(a, rows)).toBe(rows);
    expect(await judge(`${service}-t`)).toBe(rows);
    expect(a.process.stderr.split('FENCED').length).toBeGreaterThan(3);
  }, 300_000);
});
