import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { API, startProxiedKafka } from '../harness/kafka-proxy.ts';
import type { KafkaProxy, ProxiedKafka } from '../harness/kafka-proxy.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';

/** The proxy of the tests does what it says, to our writer, which must not mind. */

describeKafka('the proxy before a broker', () => {
  let proxied: ProxiedKafka;
  let proxy: KafkaProxy;
  let log: Log;
  /** Goes around the proxy. */
  let direct: Log;

  beforeAll(async () => {
    proxied = await startProxiedKafka();
    proxy = proxied.proxy;
    const open = (address: string): Promise<Log> =>
      openKafkaLog({ brokers: [address], clientId: 'proxied', clock: systemClock, logger: silentLogger });
    log = await open(proxy.address);
    direct = await open(proxied.direct);
  });
  afterEach(() => proxy.reset());
  afterAll(async () => {
    await log.close();
    await direct.close();
    await proxied.stop();
  });

  const newTopic = async (): Promise<string> => {
    const topic = uniqueName('proxied');
    await log.admin.createTopic({ name: topic, partitions: 1 });
    return topic;
  };
  const endOf = async (topic: string): Promise<number> => (await direct.admin.offsets(topic))[0]!.end;
  /** Writes one record; the promise is of its acknowledgement. */
  const write = async (topic: string): Promise<void> => {
    const writer = await log.openWriter();
    appendRecord(writer, { topic, partition: 0 }, { value: 'x' });
    await writer.flush();
    await writer.close();
  };

  test('stands where clients are told that the broker is', async () => {
    proxy.keepSeen = true;
    const topic = await newTopic();
    await write(topic);
    expect(proxy.seen.filter(({ apiKey }) => apiKey === API.produce)).toHaveLength(1);
    expect(new Set(proxy.seen.map(({ clientId }) => clientId))).toEqual(new Set(['proxied']));
    proxy.keepSeen = false;
  });

  test('holds a request before the broker, or its answer after', async () => {
    const topic = await newTopic();
    const held = proxy.on({ apiKey: API.produce }, { do: 'hold' });
    const first = write(topic);
    await held.hit();
    expect(await endOf(topic)).toBe(0);
    held.release();
    await first;
    expect(await endOf(topic)).toBe(1);

    const heldAnswer = proxy.on({ apiKey: API.produce }, { do: 'holdAnswer' });
    let acknowledged = false;
    const second = write(topic).then(() => (acknowledged = true));
    await heldAnswer.hit();
    while ((await endOf(topic)) < 2);
    expect(acknowledged).toBe(false);
    heldAnswer.release();
    await second;
  });

  test('drops answers and loses requests, as often as it is told', async () => {
    const topic = await newTopic();
    const dropped = proxy.on({ apiKey: API.produce, skip: 1, times: 2 }, { do: 'dropAnswer' });
    await write(topic);
    expect(dropped.hits).toHaveLength(0);
    await write(topic);
    expect(dropped.hits).toHaveLength(2);
    expect(await endOf(topic)).toBe(2);
    const lost = proxy.on({ apiKey: API.produce, times: 1 }, { do: 'blackHole' });
    const writing = write(topic);
    await lost.hit();
    expect(await endOf(topic)).toBe(2);
    // It would be tired of waiting after as long as a broker may take.
    proxy.cut();
    await writing;
    expect(await endOf(topic)).toBe(3);
  });

  test('repeats a request on another connection and keeps the answer', async () => {
    const topic = await newTopic();
    const repeated = proxy.on({ apiKey: API.produce, times: 1 }, { do: 'duplicate', afterMs: 10 });
    await write(topic);
    await repeated.repeated();
    expect(repeated.repeatAnswers[0]!.toString('latin1')).toContain(topic);
    // The sequence number is that of a batch which stands already.
    expect(await endOf(topic)).toBe(1);
  });

  test('delays, and answers in place of the broker', async () => {
    const topic = await newTopic();
    const delayed = proxy.on({ apiKey: API.produce, times: 1 }, { do: 'delay', afterMs: 10 });
    await write(topic);
    expect(delayed.hits).toHaveLength(1);
    // Produce version 7 when nothing is said of any partition: no topics, no throttle time.
    const answered = proxy.on(
      { apiKey: API.produce, times: 1 },
      { do: 'answer', with: () => Buffer.alloc(8) },
    );
    await write(topic);
    expect(answered.hits).toHaveLength(1);
    expect(await endOf(topic)).toBe(2);
  });

  test('what is held comes to the broker though its sender is gone', async () => {
    const topic = await newTopic();
    const held = proxy.on({ apiKey: API.produce, times: 1 }, { do: 'hold' });
    const writing = write(topic);
    await held.hit();
    proxy.cut();
    // It is written by a second request; the first is found to be a repeat when it comes.
    await writing;
    expect(await endOf(topic)).toBe(1);
    held.release();
    await write(topic);
    expect(await endOf(topic)).toBe(2);
  });
});
