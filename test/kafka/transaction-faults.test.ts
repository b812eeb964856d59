import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { INVALID_PRODUCER_EPOCH, PRODUCER_FENCED } from '../../src/log/kafka/protocol-error.ts';
import type { Log, LogWriter } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { API, startProxiedKafka } from '../harness/kafka-proxy.ts';
import type { KafkaProxy, ProxiedKafka } from '../harness/kafka-proxy.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { kindOfRejection } from '../harness/log-contract.ts';
import { judgeNumbers, MiniatureApplication, PARTITIONS } from '../harness/miniature-application.ts';
import { answerWithCodes } from '../harness/scripted-answers.ts';
import { untilAsync } from '../harness/until.ts';

/**
 * Requests that are late, lost or repeated, and answers that a broker gives seldom: whatever happens to the requests of a
 * transaction, its records are there once, in order, with the offsets of their input.
 */

const { produce, metadata, findCoordinator, initProducerId, txnOffsetCommit, endTxn } = API;
const REQUESTS = { produce, metadata, findCoordinator, initProducerId, txnOffsetCommit, endTxn };
const { addPartitionsToTxn, addOffsetsToTxn, offsetFetch } = API;

for (const [name, version, options] of [
  ['transaction.version 2', 2, {}],
  ['Kafka 3.9', 1, { version: '3.9.1' }],
] as const)
  describeKafka(`transactions and faults, ${name}`, () => {
    const requests = Object.entries(
      version === 2 ? REQUESTS : { ...REQUESTS, addPartitionsToTxn, addOffsetsToTxn },
    );
    let proxied: ProxiedKafka;
    let proxy: KafkaProxy;
    let log: Log;
    let application: MiniatureApplication;
    /** How far the application of each test came; all are judged in the end. */
    const ended = new Map<string, number>();
    const opened: MiniatureApplication[] = [];

    const openLog = (address: string): Promise<Log> =>
      openKafkaLog({
        brokers: address.split(','),
        clientId: 'faults',
        clock: systemClock,
        logger: silentLogger,
      });
    const start = (topic: string): MiniatureApplication => {
      const started = new MiniatureApplication(log, topic);
      opened.push(started);
      return started;
    };

    beforeAll(async () => {
      proxied = await startProxiedKafka(options);
      proxy = proxied.proxy;
      log = await openLog(proxy.address);
    });
    afterAll(async () => {
      await log.close();
      await proxied.stop();
    });

    const begin = async (): Promise<void> => {
      const topic = uniqueName('faults');
      await log.admin.createTopic({ name: topic, partitions: PARTITIONS });
      application = start(topic);
    };
    const end = async (): Promise<void> => {
      ended.set(application.topic, await application.committed());
    };
    afterEach(async () => {
      proxy.reset();
      await Promise.all(opened.splice(0).map((each) => each.close()));
    });

    describe.each(requests)('%s', (_, apiKey) => {
      test('is not answered five times', async () => {
        await begin();
        const dropped = proxy.on({ apiKey, times: 5 }, { do: 'dropAnswer' });
        for (let i = 0; i < 5 || dropped.hits.length < 5; i++) {
          await application.run(1);
          // What is asked at the beginning only.
          if (dropped.hits.length < 5) application = start(application.topic);
        }
        await application.run(2);
        await end();
      });

      test('is late, and its sender was replaced', async () => {
        await begin();
        const held = proxy.on({ apiKey, skip: 2 }, { do: 'hold' });
        const zombie = (async () => {
          while (held.hits.length === 0) {
            await application.run(1);
            // What is asked at the beginning only.
            if (held.hits.length === 0) application = start(application.topic);
          }
        })().catch(() => {});
        await held.hit();
        held.remove();
        application.isAbandoned = true;
        const next = start(application.topic);
        await next.run(2);
        // It comes while a transaction is open, or between two.
        held.release();
        await next.run(3);
        await zombie;
        await end();
      });

      test.skipIf(version === 1)('comes again when the next transaction has written', async () => {
        await begin();
        const repeated = proxy.on({ apiKey, times: 4 }, { do: 'duplicate', afterMs: 100 });
        do {
          await application.run(1);
          if (repeated.hits.length < 4) application = start(application.topic);
        } while (repeated.repeatAnswers.length < repeated.hits.length || repeated.hits.length < 4);
        await application.run(2);
        await end();
      });
    });

    const passing: (readonly [string, number, readonly number[]])[] = [
      ['Produce', produce, version === 2 ? [6, 19, 51, 7] : [6, 19, 7]],
      ['TxnOffsetCommit', txnOffsetCommit, [14, 16, 15, 3]],
      ['EndTxn', endTxn, [51, 14, 16, 15]],
      ['InitProducerId', initProducerId, [51, 14, 16, 15]],
      ['FindCoordinator', findCoordinator, [15, 15]],
      ['OffsetFetch', offsetFetch, [88, 88, 16]],
    ];
    if (version === 1)
      passing.push(
        ['AddPartitionsToTxn', addPartitionsToTxn, [51, 14, 16, 3]],
        ['AddOffsetsToTxn', addOffsetsToTxn, [51, 15, 16]],
      );
    test.each(passing)('%s is refused with codes that pass', async (_, apiKey, codes) => {
      await begin();
      await application.run(1);
      const answered = answerWithCodes(proxy, apiKey, codes);
      await application.run(1);
      application = start(application.topic);
      await application.run(1);
      expect(answered.hits).toHaveLength(codes.length);
      expect(application.replaced).toEqual([]);
      await end();
    });

    test.each([
      ['Produce', produce, [45, 47, 48, 49, 59, 90, 120]],
      ['TxnOffsetCommit', txnOffsetCommit, [-1, 47, 48, 49, 90, 120]],
      ['EndTxn', endTxn, [-1, 47, 48, 49, 90, 120]],
    ] as const)('%s is refused with codes after which a writer is replaced', async (_, apiKey, codes) => {
      await begin();
      for (const code of codes) {
        await application.run(1);
        const answered = answerWithCodes(proxy, apiKey, [code]);
        await application.run(1);
        expect(answered.hits).toHaveLength(1);
      }
      expect(application.replaced).toEqual(codes.map(() => 'transaction-aborted'));
      await end();
    });

    test.each([
      ['InitProducerId', initProducerId],
      ['EndTxn', endTxn],
    ])('%s is refused because it is not allowed', async (_, apiKey) => {
      await begin();
      answerWithCodes(proxy, apiKey, [53]);
      expect(await kindOfRejection(application.run(1))).toBe('unauthorized');
    });

    test.each([
      ['Produce', produce],
      ['EndTxn', endTxn],
    ])('an answer to %s asks for a pause', async (_, apiKey) => {
      await begin();
      await application.run(1);
      const answered = answerWithCodes(proxy, apiKey, [51], { throttleMs: 700 });
      const running = application.run(1);
      await answered.hit();
      const before = systemClock.monotonic();
      await running;
      expect(systemClock.monotonic() - before).toBeGreaterThan(650);
      await end();
    });

    test('EndTxn of a transaction comes again when the next one has written: it is refused, and nothing is seen', async () => {
      await begin();
      const { topic } = application;
      const open = (): Promise<LogWriter> => log.openWriter({ group: topic, transactionalId: topic });
      const write = async (writer: LogWriter, from: number): Promise<void> => {
        for (let number = from; number < from + 6; number++)
          appendRecord(writer, { topic, partition: number % PARTITIONS }, { value: `${number}` });
        await writer.flush();
      };
      const commit = (writer: LogWriter, offset: number): Promise<void> =>
        writer.commit([{ topic, partition: 0, offset, metadata: '' }]);
      const stable = async (): Promise<number[]> => (await log.admin.offsets(topic)).map(({ end: at }) => at);

      const sent = proxy.on({ apiKey: endTxn, times: 1 }, { do: 'delay', afterMs: 0 });
      const first = await open();
      await write(first, 0);
      await commit(first, 6);
      // Two records and a marker each.
      await untilAsync(async () => (await stable()).every((at) => at === 3));
      const ends = await stable();
      // In version 1 a writer of which a request was not answered is replaced before the next transaction.
      const second = version === 2 ? first : await open();
      await write(second, 6);
      const answer = await proxy.repeat(sent.hits[0]!);
      expect([INVALID_PRODUCER_EPOCH, PRODUCER_FENCED]).toContain(answer.readInt16BE(version === 2 ? 5 : 4));
      expect(await stable()).toEqual(ends);
      await commit(second, 12);
      await Promise.all([first.close(), second.close()]);
      await end();
    });

    test('Java sees the records of all of them, each once and in order', async () => {
      expect(ended.size).toBeGreaterThan(requests.length * 2);
      await judgeNumbers(proxied.direct, ended);
    });
  });
