import { createHook } from 'node:async_hooks';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { ProtocolReader } from '../../src/log/kafka/protocol-reader.ts';
import type { Log } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { API, startProxiedKafka } from '../harness/kafka-proxy.ts';
import type { KafkaProxy, ProxiedKafka, RequestFrame } from '../harness/kafka-proxy.ts';
import { describeKafka, javaProduce, uniqueName } from '../harness/kafka.ts';
import { readRecords } from '../harness/log-contract.ts';
import { judgeNumbers, MiniatureApplication, PARTITIONS } from '../harness/miniature-application.ts';

/** What clients of Kafka are known to get wrong (README.md has the list), where no other test has it. */

const NOT_LEADER_OR_FOLLOWER = 6;

describeKafka('traps of clients', () => {
  let proxied: ProxiedKafka;
  let proxy: KafkaProxy;
  let log: Log;

  beforeAll(async () => {
    proxied = await startProxiedKafka();
    proxy = proxied.proxy;
    log = await openKafkaLog({
      brokers: [proxy.address],
      clientId: 'traps',
      clock: systemClock,
      logger: silentLogger,
    });
  });
  afterEach(() => {
    proxy.keepSeen = false;
    proxy.reset();
  });
  afterAll(async () => {
    await log.close();
    await proxied.stop();
  });

  const newTopic = async (partitions: number, configs: Record<string, string> = {}): Promise<string> => {
    const topic = uniqueName('traps');
    await log.admin.createTopic({ name: topic, partitions, configs });
    return topic;
  };

  test.each(['without', 'with'] as const)(
    'one partition of several has moved: it alone is written again, %s transactions',
    async (transactions) => {
      const topic = await newTopic(PARTITIONS);
      const refused: number[] = [];
      const partial = (frame: RequestFrame, body: Buffer): Buffer => {
        const at = codesOfProduce(frame, body);
        if (at.length < 2) return body;
        // They are written, but one is said not to be.
        const index = refused.length % at.length;
        refused.push(index);
        body.writeInt16BE(NOT_LEADER_OR_FOLLOWER, at[index]);
        return body;
      };
      proxy.on({ apiKey: API.produce }, { do: 'amend', with: partial });
      if (transactions === 'with') {
        const application = new MiniatureApplication(log, topic);
        await application.run(5);
        expect(application.replaced).toEqual([]);
        await application.close();
      } else {
        const writer = await log.openWriter();
        for (let number = 0; number < 30; number++) {
          appendRecord(writer, { topic, partition: number % PARTITIONS }, { value: `${number}` });
          if (number % 6 === 5) await writer.flush();
        }
        await writer.close();
      }
      expect(refused.length).toBeGreaterThanOrEqual(5);
      await judgeNumbers(proxied.direct, new Map([[topic, 30]]));
    },
  );

  test('an error of one partition leaves what was fetched of the others', async () => {
    const topic = await newTopic(2);
    const writer = await log.openWriter();
    for (let i = 0; i < 10; i++) appendRecord(writer, { topic, partition: i % 2 }, { value: `${i}` });
    await writer.flush();
    await writer.close();
    const amended = proxy.on(
      { apiKey: API.fetch, times: 3 },
      {
        do: 'amend',
        with: (_, body) => {
          const at = codeOfFetched(body, 0);
          if (at >= 0) body.writeInt16BE(NOT_LEADER_OR_FOLLOWER, at);
          return body;
        },
      },
    );
    const reader = log.openReader();
    for (const partition of [0, 1]) reader.assign({ topic, partition, offset: 0 });
    const values = (await readRecords(reader, 10)).map(({ value }) => String(value));
    expect(values).toEqual(['1', '3', '5', '7', '9', '0', '2', '4', '6', '8']);
    expect(amended.hits).toHaveLength(3);
    await reader.close();
  });

  test('a batch of 140,000 records is read', async () => {
    const topic = await newTopic(1, { 'max.message.bytes': '8000000' });
    const settings = { 'batch.size': 8_000_000, 'max.request.size': 8_000_000, 'linger.ms': 60_000 };
    await javaProduce(
      proxied.direct,
      topic,
      Array.from({ length: 140_000 }, (_, i) => `${i % 10}`),
      { keyed: false, settings },
    );
    const reader = log.openReader();
    reader.assign({ topic, partition: 0, offset: 0 });
    let next = 0;
    while (next < 140_000)
      for (const batch of await reader.poll(500))
        for (let i = batch.first; i < batch.count; i++, next++)
          if (batch.offsets[i] !== next) expect(batch.offsets[i]).toBe(next);
    await reader.close();
  });

  test('the coordinators are asked for once, not for each transaction', async () => {
    const topic = await newTopic(PARTITIONS);
    const application = new MiniatureApplication(log, topic);
    await application.run(1);
    proxy.seen.length = 0;
    proxy.keepSeen = true;
    await application.run(20);
    const count = (apiKey: number): number => proxy.seen.filter((frame) => frame.apiKey === apiKey).length;
    expect([count(API.findCoordinator), count(API.endTxn), count(API.txnOffsetCommit)]).toEqual([0, 20, 20]);
    await application.close();
  });

  test('a connection that waits runs no timer', async () => {
    const reader = log.openReader();
    reader.assign({ topic: await newTopic(1), partition: 0, offset: 0 });
    await reader.poll(300);
    let timers = 0;
    const hook = createHook({
      init: (_, type) => {
        if (type === 'Timeout') timers++;
      },
    }).enable();
    expect(await reader.poll(600)).toEqual([]);
    hook.disable();
    // A few requests, each with its time-out; a timer every millisecond would be hundreds.
    expect(timers).toBeLessThan(60);
    await reader.close();
  });
});

/** Where the error code of each partition stands in an answer to Produce 7 or 12. */
function codesOfProduce({ apiVersion }: RequestFrame, body: Buffer): number[] {
  const r = new ProtocolReader(body);
  const at: number[] = [];
  if (apiVersion === 7) {
    r.array(() => {
      r.string();
      r.array(() => {
        at.push(r.at + 4);
        r.at += 4 + 2 + 8 + 8 + 8;
      });
    });
    return at;
  }
  r.tags();
  r.compactArray(() => {
    r.compactString();
    r.compactArray(() => {
      at.push(r.at + 4);
      r.at += 4 + 2 + 8 + 8 + 8;
      r.compactArray(() => {});
      r.compactNullableString();
      r.tags();
    });
    r.tags();
  });
  return at;
}

/** Where the error code of a partition stands in an answer to Fetch 11, or -1. */
function codeOfFetched(body: Buffer, wanted: number): number {
  const r = new ProtocolReader(body);
  r.at += 4 + 2 + 4; // throttle time, code, session
  let at = -1;
  r.array(() => {
    r.string();
    r.array(() => {
      if (r.int32() === wanted) at = r.at;
      r.at += 2 + 8 + 8 + 8;
      r.array(() => (r.at += 16));
      r.at += 4;
      r.at += Math.max(0, r.int32());
    });
  });
  return at;
}
