import { CompressionTypes, Kafka, logLevel, Partitioners } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { COMPRESSIONS } from '../../src/log/codecs.ts';
import type { Compression } from '../../src/log/codecs.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log, LogReader } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { describeKafka, javaConsume, javaProduce, uniqueName } from '../harness/kafka.ts';
import { javaReadCommitted } from '../harness/java-read-committed.ts';
import { kindOfRejection, readRecords } from '../harness/log-contract.ts';

describeKafka('foreign clients', (address) => {
  let log: Log;
  const kafkajs = new Kafka({ brokers: [address || 'localhost:1'], logLevel: logLevel.NOTHING });

  beforeAll(async () => {
    log = await openKafkaLog({
      brokers: [address],
      clientId: 'foreign',
      clock: systemClock,
      logger: silentLogger,
    });
  });
  afterAll(() => log.close());

  const newTopic = async (partitions = 1): Promise<string> => {
    const name = uniqueName('foreign');
    await log.admin.createTopic({ name, partitions });
    return name;
  };
  const readFrom = (topic: string, readCommitted = true): LogReader => {
    const reader = log.openReader({ readCommitted });
    reader.assign({ topic, partition: 0, offset: 0 });
    return reader;
  };
  const writeTwo = async (topic: string, compression: Compression): Promise<void> => {
    const writer = await log.openWriter({ compression });
    const headers = [
      { key: 'h', value: Buffer.from('1') },
      { key: 'h', value: null },
    ];
    appendRecord(writer, { topic, partition: 0 }, { key: 'kä', value: 'x'.repeat(300), headers });
    appendRecord(writer, { topic, partition: 0 }, { key: null, value: null });
    await writer.flush();
    await writer.close();
  };

  test.each(COMPRESSIONS)('Java writes (%s) and we read', async (codec) => {
    const topic = await newTopic();
    const lines = Array.from({ length: 500 }, (_, i) => `key${i}\t{"n":${i},"text":"ä"}`);
    await javaProduce(address, topic, lines, codec === 'none' ? {} : { codec });
    const records = await readRecords(readFrom(topic), 500);
    expect(records.map(({ key, value }) => `${String(key)}\t${String(value)}`)).toEqual(lines);
    expect(records.map(({ offset }) => offset)).toEqual(lines.map((_, i) => i));
  });

  test.each(COMPRESSIONS)('we write (%s) and Java reads', async (compression) => {
    const topic = await newTopic();
    await writeTwo(topic, compression);
    // Enough for several blocks in a codec's frame, and compressible, but not much.
    const value = (i: number): string =>
      Array.from({ length: 150 }, (_, n) => `column ${n}: ${(i * 7919 + n * n) % 977}`).join(', ');
    const writer = await log.openWriter({ compression });
    for (let i = 0; i < 200; i++)
      appendRecord(writer, { topic, partition: 0 }, { key: `k${i}`, value: value(i) });
    await writer.flush();
    await writer.close();
    expect(await javaConsume(address, topic, 202)).toEqual([
      `Partition:0\th:1,h:null\tkä\t${'x'.repeat(300)}`,
      'Partition:0\tNO_HEADERS\tnull\tnull',
      ...Array.from({ length: 200 }, (_, i) => `Partition:0\tNO_HEADERS\tk${i}\t${value(i)}`),
    ]);
    const reader = log.openReader();
    reader.assign({ topic, partition: 0, offset: 2 });
    const [batch] = await reader.poll(5_000);
    expect(batch!.sizeBytes < batch!.buffer.length / 1.5).toBe(compression !== 'none');
  });

  test('kafkajs writes and we read', async () => {
    const topic = await newTopic();
    const producer = kafkajs.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    const messages = [
      { key: 'a', value: 'one', headers: { h: 'x' }, timestamp: '1700000000001' },
      { key: 'b', value: null, timestamp: '1700000000000' },
    ];
    await producer.send({ topic, messages, compression: CompressionTypes.GZIP });
    await producer.disconnect();
    const records = await readRecords(readFrom(topic), 2);
    expect(records).toMatchObject([
      { timestamp: 1_700_000_000_001, key: Buffer.from('a'), value: Buffer.from('one') },
      { timestamp: 1_700_000_000_000, key: Buffer.from('b'), value: null },
    ]);
    expect(records[0]!.headers).toEqual([{ key: 'h', value: Buffer.from('x') }]);
  });

  test('we write and kafkajs reads', async () => {
    const topic = await newTopic();
    await writeTwo(topic, 'gzip');
    const consumer = kafkajs.consumer({ groupId: uniqueName('reader') });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const values: (string | undefined)[] = [];
    await new Promise<void>((resolve, reject) => {
      consumer
        .run({
          eachMessage: async ({ message }) => {
            values.push(message.value?.toString());
            if (values.length === 2) resolve();
          },
        })
        .catch(reject);
    });
    await consumer.disconnect();
    expect(values).toEqual(['x'.repeat(300), undefined]);
  });

  test('records of an aborted transaction are hidden, or shown on request', async () => {
    const topic = await newTopic();
    const producer = kafkajs.producer({
      transactionalId: uniqueName('tx'),
      idempotent: true,
      maxInFlightRequests: 1,
      createPartitioner: Partitioners.DefaultPartitioner,
    });
    await producer.connect();
    for (const [value, outcome] of [
      ['kept', 'commit'],
      // Its key looks like the content of an abort marker.
      ['dropped', 'abort'],
      ['kept too', 'commit'],
    ] as const) {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ key: Buffer.alloc(4), value }] });
      await transaction.send({ topic, messages: [{ key: 'k', value }] });
      await transaction[outcome]();
    }
    await producer.disconnect();
    const texts = async (reader: LogReader, count: number): Promise<string[]> =>
      (await readRecords(reader, count)).map(({ value }) => String(value));
    const committed = readFrom(topic);
    expect(await texts(committed, 4)).toEqual(['kept', 'kept', 'kept too', 'kept too']);
    expect(await texts(readFrom(topic, false), 6)).toHaveLength(6);
    const java = await javaReadCommitted(address, [topic]);
    expect(java.records.map(({ value }) => String(value))).toEqual(['kept', 'kept', 'kept too', 'kept too']);
    expect(java.ends).toEqual([{ topic, partition: 0, lastStableOffset: 9, highWatermark: 9 }]);
    // Three pairs and three markers: the position steps over the last marker too.
    for (let polls = 0; committed.position({ topic, partition: 0 }) < 9 && polls < 40; polls++)
      await committed.poll(250);
    expect(committed.position({ topic, partition: 0 })).toBe(9);
    expect(committed.endOffset({ topic, partition: 0 })).toBe(9);
  });

  test('a group with members refuses our commit', async () => {
    const topic = await newTopic();
    const group = uniqueName('busy');
    const consumer = kafkajs.consumer({ groupId: group });
    await consumer.connect();
    await consumer.subscribe({ topic });
    const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
    await consumer.run({ eachMessage: async () => {} });
    await joined;
    const writer = await log.openWriter({ group });
    const offsets = [{ topic, partition: 0, offset: 1, metadata: '' }];
    expect(await kindOfRejection(writer.commit(offsets))).toBe('fenced');
    await consumer.disconnect();
    await writer.commit(offsets);
    expect(await log.admin.committed(group)).toEqual(offsets);
  });
});
