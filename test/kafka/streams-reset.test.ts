import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { streamsReset } from '../../src/streams/application/reset-application.ts';
import { systemClock } from '../../src/common/clock.ts';
import { DataError } from '../../src/common/error.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { sendToDeadLetterTopic } from '../../src/streams/task/error-handlers.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { produce, readAll } from '../harness/log-records.ts';
import { createStreams } from '../harness/open-streams.ts';

describeKafka('streams applications', (address) => {
  let log: Log;
  const kafkajs = new Kafka({ brokers: [address || 'localhost:1'], logLevel: logLevel.NOTHING });

  beforeAll(async () => {
    log = await openKafkaLog({
      brokers: [address],
      clientId: 'reset',
      clock: systemClock,
      logger: silentLogger,
    });
  });
  afterAll(() => log.close());

  const newTopic = async (partitions = 1): Promise<string> => {
    const name = uniqueName('reset');
    await log.admin.createTopic({ name, partitions });
    return name;
  };

  async function runCounter(
    applicationId: string,
    input: string,
    output: string,
    dead: string,
    directory: string,
  ): Promise<void> {
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder
      .stream<string, string>(input)
      .mapValues((word) => {
        if (word === 'bad') throw new DataError('that is no word');
        return word;
      })
      .groupBy((_key, word) => word)
      .count({ name: 'totals' })
      .toStream()
      .mapValues(String)
      .to(output, { valueSerde: Serdes.string });
    const streams = createStreams(builder.build(), {
      applicationId,
      log,
      stateDirectory: directory,
      handlers: { processing: sendToDeadLetterTopic },
      deadLetterTopic: dead,
    });
    await streams.start();
    await streams.catchUp();
    await streams.close();
  }

  test('an application is reset and runs again; while its group has members it is not', async () => {
    const [input, output, dead] = [await newTopic(2), await newTopic(), await newTopic()];
    const applicationId = uniqueName('app');
    const directory = mkdtempSync(join(tmpdir(), 'millrace-reset-'));
    const said: string[] = [];
    const reset = (): Promise<void> =>
      streamsReset(
        {
          applicationId,
          inputTopics: [input],
          target: { kind: 'earliest' },
          internalTopics: null,
          dryRun: false,
        },
        { log, stateDirectory: directory, write: async (line) => void said.push(line) },
      );
    try {
      await produce(
        log,
        input,
        ['a', 'bad', 'b', 'a'].map((value, i) => ({ key: `k${i}`, value, timestamp: 1 })),
      );
      await runCounter(applicationId, input, output, dead, directory);
      const results = async (): Promise<string[]> =>
        (await readAll(log, output)).map(({ key, value }) => `${key} ${value}`).toSorted();
      expect(await results()).toEqual(['a 1', 'a 2', 'b 1']);
      expect((await readAll(log, dead)).map(({ value }) => value)).toEqual(['bad']);

      const member = kafkajs.consumer({ groupId: applicationId });
      const joined = new Promise<void>(
        (resolve) => void member.on(member.events.GROUP_JOIN, () => resolve()),
      );
      await member.connect();
      await member.subscribe({ topics: [output] });
      await member.run({ eachMessage: () => Promise.resolve() });
      await joined;
      await expect(reset()).rejects.toThrow(`application ${applicationId} is running: its group has members`);
      expect(
        (await log.admin.listTopics()).filter((name) => name.startsWith(`${applicationId}-`)),
      ).toHaveLength(2);
      await member.disconnect();

      await reset();
      expect((await log.admin.listTopics()).filter((name) => name.startsWith(`${applicationId}-`))).toEqual(
        [],
      );
      expect(
        (await log.admin.committed(applicationId))
          .filter(({ topic }) => topic === input)
          .map(({ offset }) => offset),
      ).toEqual([0, 0]);
      await runCounter(applicationId, input, output, dead, directory);
      expect(await results()).toEqual(['a 1', 'a 1', 'a 2', 'a 2', 'b 1', 'b 1']);
      expect((await readAll(log, dead)).map(({ value }) => value)).toEqual(['bad', 'bad']);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
