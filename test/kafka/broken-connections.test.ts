import { afterAll, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { KafkaAdmin } from '../../src/log/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../src/log/kafka/kafka-cluster.ts';
import { KafkaReader } from '../../src/log/kafka/kafka-reader.ts';
import { KafkaWriter } from '../../src/log/kafka/kafka-writer.ts';
import { openConnections } from '../../src/log/kafka/kafkajs-connections.ts';
import type { OpenBroker } from '../../src/log/kafka/kafkajs-connections.ts';
import type { ProtocolRequest } from '../../src/log/kafka/kafkajs-parts.ts';
import { appendRecord } from '../harness/append-record.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { readRecords } from '../harness/log-contract.ts';

const PRODUCE = 0;
const FETCH = 1;

describeKafka('broken connections', (address) => {
  let openBroker: OpenBroker;
  let cluster: KafkaCluster;
  let admin: KafkaAdmin;
  /** Called with every request; true loses its answer after the broker has done what it asks. */
  let losesAnswer: (apiKey: number) => boolean = () => false;
  /** What to answer in place of the broker, which does not see the request then. */
  let answersInstead: (apiKey: number) => unknown = () => undefined;

  const newCluster = (): KafkaCluster => new KafkaCluster(openBroker, 1, systemClock, silentLogger);

  beforeAll(async () => {
    const real = await openConnections({ brokers: [address], clientId: 'broken' }, silentLogger);
    openBroker = async (destination) => {
      const broker = await real(destination);
      const pool = broker.connectionPool;
      const send = pool.send.bind(pool);
      pool.send = async <T>(request: ProtocolRequest<T>): Promise<T> => {
        const made = answersInstead(request.request.apiKey);
        if (made !== undefined) return made as T;
        const answer = await send(request);
        if (losesAnswer(request.request.apiKey)) throw new Error('the connection was cut by the test');
        return answer;
      };
      return broker;
    };
    cluster = newCluster();
    admin = new KafkaAdmin(cluster);
  });
  afterAll(() => cluster.close());

  test('a batch whose acknowledgement was lost is not appended twice', async () => {
    const topic = uniqueName('broken');
    await admin.createTopic({ name: topic, partitions: 2 });
    const writer = await KafkaWriter.open(newCluster(), {}, () => {});
    let lost = 0;
    let requests = 0;
    losesAnswer = (apiKey) => apiKey === PRODUCE && requests++ % 3 !== 2 && ++lost > 0;
    for (let i = 0; i < 10; i++) {
      for (const partition of [0, 1]) appendRecord(writer, { topic, partition }, { value: `${i}` });
      await writer.flush();
    }
    losesAnswer = () => false;
    expect(lost).toBeGreaterThan(10);
    expect(await admin.offsets(topic)).toEqual([
      { start: 0, end: 10 },
      { start: 0, end: 10 },
    ]);
    expect(writer.endOffset({ topic, partition: 1 })).toBe(10);
    await writer.close();
  });

  test('a reader goes on where it was when its fetches are cut', async () => {
    const topic = uniqueName('broken');
    await admin.createTopic({ name: topic, partitions: 1 });
    const writer = await KafkaWriter.open(newCluster(), {}, () => {});
    const reader = new KafkaReader(newCluster(), { bufferBytesMax: 100_000 }, () => {});
    reader.assign({ topic, partition: 0, offset: 0 });
    let fetches = 0;
    losesAnswer = (apiKey) => apiKey === FETCH && fetches++ % 2 === 0;
    const values: string[] = [];
    for (let i = 0; i < 8; i++) {
      appendRecord(writer, { topic, partition: 0 }, { value: `${i}` });
      await writer.flush();
      for (const { value } of await readRecords(reader, 1)) values.push(String(value));
    }
    losesAnswer = () => false;
    expect(values).toEqual(['0', '1', '2', '3', '4', '5', '6', '7']);
    expect(fetches).toBeGreaterThan(8);
    await reader.close();
    await writer.close();
  });

  test('a producer id that the broker does not accept is replaced', async () => {
    const topic = uniqueName('broken');
    await admin.createTopic({ name: topic, partitions: 1 });
    const at = { topic, partition: 0 };
    const writer = await KafkaWriter.open(newCluster(), {}, () => {});
    appendRecord(writer, at, { value: 'a' });
    await writer.flush();
    // A batch that was acknowledged and got lost: the sequence numbers have a gap then.
    answersInstead = (apiKey) => (apiKey === PRODUCE ? [{ ...at, code: 0, baseOffset: 1 }] : undefined);
    appendRecord(writer, at, { value: 'lost' });
    await writer.flush();
    answersInstead = () => undefined;
    for (const value of ['b', 'c']) {
      appendRecord(writer, at, { value });
      await writer.flush();
    }
    const reader = new KafkaReader(newCluster(), {}, () => {});
    reader.assign({ ...at, offset: 0 });
    expect((await readRecords(reader, 3)).map(({ value }) => String(value))).toEqual(['a', 'b', 'c']);
    await reader.close();
    await writer.close();
  });
});
