import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startKafka } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import type { Log, LogWriter } from '../../src/log/log.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { kindOfRejection, readRecords } from '../harness/log-contract.ts';
import { untilAsync } from '../harness/until.ts';

function describeTransactions(version: number, addressOf: () => string): void {
  describe(`transactions, version ${version}`, () => {
    let log: Log;
    let topic: string;
    let group: string;
    const at = (partition: number) => ({ topic, partition });

    beforeEach(async () => {
      log = await openKafkaLog({
        brokers: addressOf().split(','),
        clientId: 'transactions',
        clock: systemClock,
        logger: silentLogger,
      });
      topic = uniqueName('transactions');
      group = uniqueName('group');
      await log.admin.createTopic({ name: topic, partitions: 3 });
    });
    afterEach(() => log.close());

    const openWriter = (transactionTimeoutMs = 10_000): Promise<LogWriter> =>
      log.openWriter({ group, transactionalId: group, transactionTimeoutMs });
    const write = (writer: LogWriter, ...values: string[]): void =>
      values.forEach((value, i) => appendRecord(writer, at(i % 3), { value }));
    const ends = async (): Promise<number[]> => (await log.admin.offsets(topic)).map(({ end }) => end);
    const values = async (count: number): Promise<string[]> => {
      const reader = log.openReader();
      for (let partition = 0; partition < 3; partition++) reader.assign({ ...at(partition), offset: 0 });
      const records = await readRecords(reader, count);
      await reader.close();
      return records.map(({ value }) => String(value)).sort();
    };
    const committed = async (): Promise<number[]> =>
      (await log.admin.committed(group, [at(0)])).map(({ offset }) => offset);
    const input = (offset: number) => [{ topic, partition: 0, offset, metadata: 'm' }];

    test('output and offsets are seen when they are committed, transaction after transaction', async () => {
      const writer = await openWriter();
      expect(writer).toMatchObject({ atomicCommit: true, flushStaysHidden: true });
      for (let i = 0; i < 20; i++) {
        write(writer, `${i}-a`, `${i}-b`, `${i}-c`);
        await writer.flush();
        if (i === 0) expect(await ends()).toEqual([0, 0, 0]);
        write(writer, `${i}-d`);
        await writer.commit(input(i));
        expect(await committed()).toEqual([i]);
      }
      expect(await values(80)).toHaveLength(80);
      // A record and a marker a partition and transaction, and a record more in the first.
      expect(writer.endOffset(at(0))).toBe(59);
      expect(writer.endOffset(at(1))).toBe(39);
      // Only offsets, only output, nothing.
      await writer.commit(input(99));
      write(writer, 'alone');
      await writer.commit([]);
      await writer.commit([]);
      expect(await committed()).toEqual([99]);
      expect(await values(81)).toContain('alone');
      await writer.close();
    });

    test('what is not committed when a writer closes, or another one opens, was never there', async () => {
      const first = await openWriter();
      write(first, 'a', 'b', 'c');
      await first.commit(input(1));
      write(first, 'lost');
      await first.flush();
      await first.close();
      // The end moves over what was undone: nobody waits for it.
      await untilAsync(async () => (await ends())[0]! >= 4);
      const second = await openWriter();
      write(second, 'lost too');
      await second.flush();
      const third = await openWriter();
      write(third, 'd');
      await third.commit(input(2));
      expect(await values(4)).toEqual(['a', 'b', 'c', 'd']);
      expect(await committed()).toEqual([2]);
      await Promise.all([second.close(), third.close()]);
    });

    test.for(['flush', 'commit of output', 'commit of offsets'] as const)(
      'a writer in whose place another one has come is fenced: %s',
      async (how) => {
        const first = await openWriter();
        write(first, 'a');
        await first.commit(input(1));
        const second = await openWriter();
        if (how !== 'commit of offsets') write(first, 'zombie', 'zombie', 'zombie');
        expect(await kindOfRejection(how === 'flush' ? first.flush() : first.commit(input(7)))).toBe(
          'fenced',
        );
        // Nor does it write anything any more.
        expect(await kindOfRejection(first.commit(input(8)))).toBe('fenced');
        write(second, 'b');
        await second.commit(input(2));
        await first.close();
        write(second, 'c');
        await second.commit(input(3));
        expect(await values(3)).toEqual(['a', 'b', 'c']);
        expect(await committed()).toEqual([3]);
        await second.close();
      },
    );

    test('a transaction that ran out of time is undone, and its writer is told that nobody else has come', async () => {
      const writer = await openWriter(1000);
      write(writer, 'late');
      await writer.flush();
      await untilAsync(async () => (await ends())[0]! >= 2);
      write(writer, 'later');
      expect(await kindOfRejection(writer.commit(input(1)))).toBe('transaction-aborted');
      await writer.close();
      const next = await openWriter();
      write(next, 'again');
      await next.commit(input(1));
      expect(await values(1)).toEqual(['again']);
      await next.close();
    });

    test('a time-out that the brokers do not allow is named', async () => {
      expect(await kindOfRejection(openWriter(2 ** 31 - 1))).toBe('invalid-setting');
    });

    test('200,000 records over transactions of 10,000 arrive once each and in order', async () => {
      const writer = await openWriter();
      const appender = writer.appender(at(1));
      const bytes = Buffer.alloc(100, 'x');
      for (let i = 0; i < 200_000; i++) {
        bytes.writeUInt32BE(i, 0);
        appender.append(i, bytes, 0, 4, bytes, 0, 100, null);
        if (i % 3333 === 0) await writer.flush();
        if (i % 10_000 === 9_999) await writer.commit(input(i));
      }
      const reader = log.openReader();
      reader.assign({ ...at(1), offset: 0 });
      let next = 0;
      while (next < 200_000)
        for (const batch of await reader.poll(500))
          for (let i = batch.first; i < batch.count; i++)
            if (batch.timestamps[i] !== next++) expect(batch.timestamps[i]).toBe(next - 1);
      await reader.close();
      await writer.close();
    });
  });
}

describeKafka('on one broker', (address) => describeTransactions(2, () => address));

describeKafka('on a cluster before KIP-890', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>> | undefined;
  beforeAll(async () => {
    kafka = await startKafka({ transactionVersion: 1 });
  });
  afterAll(() => kafka?.stop());
  describeTransactions(1, () => kafka!.address);
});
