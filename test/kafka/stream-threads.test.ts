import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { bundleTs } from '../../scripts/bundle-ts.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { StreamThreads } from '../../src/streams/application/stream-threads.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { produce, readAll } from '../harness/log-records.ts';

describeKafka('stream threads', (address) => {
  let log: Log;
  let directory: string;
  let module: URL;

  beforeAll(async () => {
    log = await openKafkaLog({
      brokers: [address],
      clientId: 'threads',
      clock: systemClock,
      logger: silentLogger,
    });
    directory = mkdtempSync(join(tmpdir(), 'millrace-threads-'));
    // Threads load JavaScript only.
    module = pathToFileURL(await bundleTs('test/kafka/thread-application.ts', directory));
  });
  afterAll(async () => {
    await log.close();
    rmSync(directory, { recursive: true, force: true });
  });

  async function application(fail = '', guarantee = ''): Promise<{ input: string; output: string }> {
    const [input, output] = [uniqueName('threads-in'), uniqueName('threads-out')];
    await log.admin.createTopic({ name: input, partitions: 4 });
    await log.admin.createTopic({ name: output, partitions: 1 });
    const id = uniqueName('threads-app');
    const settings = {
      KAFKA: address,
      INPUT: input,
      OUTPUT: output,
      APPLICATION: id,
      STATE: join(directory, 'state'),
      FAIL: fail,
      GUARANTEE: guarantee,
    };
    for (const [name, value] of Object.entries(settings)) process.env[`THREAD_${name}`] = value;
    return { input, output };
  }

  const WORDS = Array.from({ length: 400 }, (_, i) => ({ key: `k${i}`, value: `word${i % 40}` }));
  const greatest = async (topic: string): Promise<Map<string | null, number>> => {
    const counts = new Map<string | null, number>();
    for (const { key, value } of await readAll(log, topic))
      counts.set(key, Math.max(counts.get(key) ?? 0, Number(value)));
    return counts;
  };
  const everyWord = (count: number): Map<string, number> =>
    new Map(Array.from({ length: 40 }, (_, i) => [`word${i}`, count]));

  test.each(['', 'exactly_once_v2'])(
    'share the tasks, count everything once, and find their state again %s',
    async (guarantee) => {
      const { input, output } = await application('', guarantee);
      await produce(log, input, WORDS);
      for (const threads of [2, 3]) {
        const running = await StreamThreads.start({ module, threads });
        expect(running.states).toEqual(Array.from({ length: threads }, () => 'running'));
        const tasks = await running.tasks();
        expect(tasks.every((each) => each.length > 0)).toBe(true);
        expect(tasks.flat().toSorted()).toEqual(['0_0', '0_1', '0_2', '0_3', '1_0', '1_1', '1_2', '1_3']);
        await running.catchUp();
        expect(await running.processedRecords()).toBe(800);
        expect(await greatest(output)).toEqual(everyWord(threads === 2 ? 10 : 20));
        await running.close();
        expect(running.states).toEqual(Array.from({ length: threads }, () => 'stopped'));
        expect(running.error).toBeNull();
        if (threads === 2) await produce(log, input, WORDS);
      }
    },
  );

  test('a thread that cannot start closes the others', async () => {
    await application('1');
    await expect(StreamThreads.start({ module, threads: 2 })).rejects.toThrow('this thread cannot start');
  });

  test('a thread that fails stops the application, and says why', async () => {
    const { input } = await application();
    const failed = new Promise<Error>((resolve, reject) => {
      StreamThreads.start({ module, threads: 2, onError: resolve })
        .then(() => produce(log, input, [{ key: 'k', value: 'poison' }]))
        .catch(reject);
    });
    expect((await failed).message).toMatch(
      /^stream thread \d has stopped: .* of task 0_\d failed on the record at .*, offset 0: a bug$/,
    );
  });
});
