import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { newSession } from '../../src/engine/session.ts';
import type { Compression } from '../../src/log/codecs.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { LateRefusal } from '../../src/log/log.ts';
import type { Log, LogWriter } from '../../src/log/log.ts';
import type { StreamsOptions } from '../../src/streams/instance/streams-options.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { sendToDeadLetterTopic } from '../../src/streams/task/error-handlers.ts';
import { Topology } from '../../src/streams/topology/topology.ts';
import { stringSerde } from '../../src/streams/topology/serde.ts';
import { appendRecord } from '../harness/append-record.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { kindOfRejection, readRecords } from '../harness/log-contract.ts';
import { produce, readAll } from '../harness/log-records.ts';
import { execute, openEngine } from '../harness/open-engine.ts';
import { closeStreams, createStreams } from '../harness/open-streams.ts';
import { SeededRandom } from '../harness/random.ts';

const HOUR_MS = 3_600_000;

describeKafka('records that brokers refuse', (address) => {
  let log: Log;
  let topic: string;

  const open = (writer = {}): Promise<Log> =>
    openKafkaLog({
      brokers: [address],
      clientId: 'refused',
      clock: systemClock,
      logger: silentLogger,
      writer,
    });
  const newTopic = async (configs: Record<string, string> = {}): Promise<string> => {
    const name = uniqueName('refused');
    await log.admin.createTopic({ name, partitions: 1, configs });
    return name;
  };
  const values = async (name: string): Promise<(string | null)[]> =>
    (await readAll(log, name)).map(({ value }) => value);

  beforeAll(async () => {
    log = await open();
  });
  afterAll(() => log.close());

  test("the largest record of Kafka's defaults passes, one byte more is refused", async () => {
    topic = await newTopic();
    const writer = await log.openWriter();
    const at = { topic, partition: 0 };
    appendRecord(writer, at, { key: 'k', value: 'x'.repeat(1_000_000) });
    await writer.flush();
    const reader = log.openReader();
    reader.assign({ ...at, offset: 0 });
    const [batch] = await reader.poll(5_000);
    const fits = 1_048_576 - (batch!.sizeBytes - 1_000_000);
    appendRecord(writer, at, { key: 'k', value: 'x'.repeat(fits) });
    await writer.flush();
    expect(() => appendRecord(writer, at, { key: 'k', value: 'x'.repeat(fits + 1) })).toThrow(
      '(max.request.size)',
    );
    await writer.close();
    expect(await values(topic)).toHaveLength(2);
    await reader.close();
  });

  describe.each<[string, boolean, Compression]>([
    ['idempotent', false, 'none'],
    ['idempotent', false, 'lz4'],
    ['in transactions', true, 'none'],
    ['in transactions', true, 'zstd'],
  ])('%s', (_name, isTransactional, compression) => {
    let writer: LogWriter;
    const openWriter = async (): Promise<LogWriter> => {
      const group = uniqueName('refused');
      return log.openWriter({ compression, group, ...(isTransactional ? { transactionalId: group } : {}) });
    };
    beforeEach(async () => {
      writer = await openWriter();
    });
    afterEach(() => writer.close());

    test(`batches are cut to what the topic takes, compressed by ${compression}`, async () => {
      topic = await newTopic({ 'max.message.bytes': '20000' });
      const at = { topic, partition: 0 };
      // Noise, so that no codec makes them small.
      const value = (i: number): string => `${i} ${Buffer.alloc(60, i * 7919).toString('base64')} ${i ** 5}`;
      const sent = Array.from({ length: 3000 }, (_, i) => value(i));
      for (const each of sent.slice(0, 2000)) appendRecord(writer, at, { key: 'k', value: each });
      await writer.commit([]);
      for (const each of sent.slice(2000)) appendRecord(writer, at, { key: 'k', value: each });
      await writer.commit([]);
      await writer.readable();
      const reader = log.openReader();
      reader.assign({ ...at, offset: 0 });
      expect((await readRecords(reader, 3000)).map((record) => String(record.value))).toEqual(sent);
      await reader.close();
    });

    test(`a record that is too large for it is refused late once, then at once (${compression})`, async () => {
      topic = await newTopic({ 'max.message.bytes': '20000' });
      const at = { topic, partition: 0 };
      const source = new SeededRandom(1);
      const random = Buffer.from(Array.from({ length: 60_000 }, () => source.integer(0, 255)));
      appendRecord(writer, at, { key: 'k', value: 'before' });
      appendRecord(writer, at, { key: 'k', value: random });
      const failure = await writer.commit([]).catch((error: unknown) => error);
      expect(failure).toBeInstanceOf(LateRefusal);
      expect(failure).toMatchObject({ kind: 'record-too-large', refusesRecord: true });
      const next = await openWriter();
      appendRecord(next, at, { key: 'k', value: 'before' });
      expect(() => appendRecord(next, at, { key: 'k', value: random })).toThrow('(max.message.bytes)');
      await next.commit([]);
      await next.readable();
      expect((await values(topic)).at(-1)).toBe('before');
      await next.close();
    });

    test(`so are records without a key of a compacted topic, and times far away (${compression})`, async () => {
      for (const [configs, record] of [
        [{ 'cleanup.policy': 'compact' }, { key: null, value: 'no key' }],
        [
          { 'message.timestamp.after.max.ms': String(HOUR_MS) },
          { key: 'k', value: 'later', timestamp: Date.now() + 2 * HOUR_MS },
        ],
        [
          { 'message.timestamp.before.max.ms': String(HOUR_MS) },
          { key: 'k', value: 'earlier', timestamp: Date.now() - 2 * HOUR_MS },
        ],
      ] as const) {
        topic = await newTopic(configs);
        const at = { topic, partition: 0 };
        const good = { key: 'k', value: 'good', timestamp: Date.now() };
        const first = await openWriter();
        appendRecord(first, at, good);
        appendRecord(first, at, record);
        expect(await kindOfRejection(first.commit([]))).toBe('record-refused');
        await first.close();
        const next = await openWriter();
        appendRecord(next, at, good);
        expect(() => appendRecord(next, at, record)).toThrow(`a record for topic ${topic} has`);
        await next.commit([]);
        await next.readable();
        expect(await values(topic)).toContain('good');
        await next.close();
      }
    });
  });

  describe.each(['at_least_once', 'exactly_once_v2'] as const)('by an application, %s', (guarantee) => {
    afterEach(closeStreams);

    test('go to the dead letters, and the rest passes without another restart', async () => {
      const [input, small, dead] = [
        await newTopic(),
        await newTopic({ 'max.message.bytes': '20000' }),
        await newTopic(),
      ];
      const values20 = Array.from({ length: 20 }, (_, i) => `${i} `.padEnd(i === 7 ? 30_000 : 100, '.'));
      await produce(
        log,
        input,
        values20.map((value) => ({ key: 'k', value, timestamp: 1 })),
      );
      const errors: unknown[] = [];
      const options: Partial<StreamsOptions> = {
        applicationId: uniqueName('refusing'),
        processingGuarantee: guarantee,
        handlers: { production: sendToDeadLetterTopic },
        deadLetterTopic: dead,
        onUncaughtError: 'stop',
        onError: (error) => errors.push(error),
      };
      const topology = new Topology()
        .addSource({ name: 'read', topics: [input], key: stringSerde, value: stringSerde })
        .addSink({ name: 'write', topic: small, parents: ['read'], key: null, value: stringSerde });
      const streams = createStreams(topology, { log, ...options });
      await streams.start();
      await streams.catchUp();
      expect(streams.state).toBe('running');
      expect(new Set(await values(small))).toEqual(new Set(values20.filter((_, i) => i !== 7)));
      if (guarantee === 'exactly_once_v2') expect(await values(small)).toHaveLength(19);
      expect(await values(dead)).toEqual([values20[7]]);
      expect(errors).toHaveLength(1);
      expect(streams.skippedRecords).toBe(1);
      await streams.close();
      await streams.cleanUp();
    });
  });

  test('a row that its changelog cannot take is named, and stops the application', async () => {
    const input = await newTopic();
    await produce(log, input, [{ key: 'k', value: 'v', timestamp: 1 }]);
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder
      .stream<string, string>(input)
      .groupByKey()
      .aggregate<string>(
        () => '',
        () => 'x'.repeat(10_000),
        { name: 'rows' },
      );
    const applicationId = uniqueName('refusing');
    const streams = createStreams(builder.build(), {
      log,
      applicationId,
      internalTopics: { configs: { 'max.message.bytes': '5000' } },
    });
    await streams.start();
    await expect.poll(() => streams.state, { timeout: 20_000 }).toBe('error');
    expect(String(streams.error)).toMatch(/the row of key "k" in store rows has 10000 bytes, .*changelog/);
    const configs = await log.admin.topicConfigs(`${applicationId}-rows-changelog`);
    expect(configs).toMatchObject({ 'max.message.bytes': '5000', 'cleanup.policy': 'compact' });
    await streams.close();
    await streams.cleanUp();
  });

  test('a record of 1.5 MB passes a query with max.request.size, and is in the processing log without', async () => {
    const large = { 'max.message.bytes': '5000000' };
    const [input, wide, narrow] = [await newTopic(large), await newTopic(large), await newTopic(large)];
    const value = 'x'.repeat(1_500_000);
    const records = ['first', value, 'last'].map((each) => ({ key: 'k', value: each, timestamp: 1 }));
    await produce(log, input, records, { requestBytesMax: 2_000_000 });
    const engine = await openEngine(null, { log: await open(), serviceId: uniqueName('size') });
    const session = newSession();
    try {
      await execute(
        engine,
        `CREATE STREAM S (K STRING KEY, V STRING) WITH (KAFKA_TOPIC='${input}', FORMAT='KAFKA');
         CREATE STREAM NARROW WITH (KAFKA_TOPIC='${narrow}') AS SELECT * FROM S;
         INSERT INTO S VALUES ('k', 'inserted');
         SET 'ksql.streams.producer.max.request.size' = '2000000'; SET 'producer.compression.type' = 'zstd';
         CREATE STREAM WIDE WITH (KAFKA_TOPIC='${wide}') AS SELECT * FROM S;
         INSERT INTO S VALUES ('k', LPAD('', 1500000, 'y'));`,
        session,
      );
      await engine.drain();
      expect([...engine.queries.values()].map(({ state }) => state)).toEqual(['RUNNING', 'RUNNING']);
      expect(await values(narrow)).toEqual(['first', 'last', 'inserted']);
      expect((await values(wide)).map((each) => each!.length)).toEqual([5, 1_500_000, 4, 8, 1_500_000]);
      const { rows } = await execute(
        engine,
        `SELECT REASON, QUERY, TOPIC, OFFSET, DETAIL FROM KSQL_PROCESSING_LOG EMIT CHANGES LIMIT 1;`,
      );
      expect(rows).toEqual([
        [
          'production',
          expect.stringMatching(/^CSAS_NARROW/),
          input,
          1,
          expect.stringContaining('a request may have 1048576 (max.request.size)'),
        ],
      ]);
    } finally {
      for (const query of engine.queries.keys()) await execute(engine, `TERMINATE ${query};`);
      await engine.close();
    }
  });

  test('the log may be opened with another size and a codec for all of its writers', async () => {
    topic = await newTopic({ 'max.message.bytes': '5000000' });
    const wide = await open({ requestBytesMax: 2_000_000, compression: 'gzip' });
    const writer = await wide.openWriter();
    appendRecord(writer, { topic, partition: 0 }, { value: 'x'.repeat(1_500_000) });
    await writer.flush();
    await wide.close();
    const reader = log.openReader();
    reader.assign({ topic, partition: 0, offset: 0 });
    expect((await reader.poll(5_000))[0]!.sizeBytes).toBeLessThan(10_000);
    await reader.close();
  });
});
