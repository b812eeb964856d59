import fc from 'fast-check';
import { expect, test } from 'vitest';
import { COMPRESSIONS, openCompressor } from '../../../src/log/codecs.ts';
import { LogError, type LogWriter } from '../../../src/log/log.ts';
import { decodeBatches } from '../../../src/log/record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  BASE_SEQUENCE_AT,
  PRODUCER_EPOCH_AT,
  PRODUCER_ID_AT,
  readInt64,
  TRANSACTIONAL_BIT,
  writeInt64,
} from '../../../src/log/record-batch-header.ts';
import { SlabAppender } from '../../../src/log/slab-appender.ts';
import type { TopicLimits } from '../../../src/log/slab-appender.ts';
import { splitBatch } from '../../../src/log/split-batch.ts';
import { appendRecord } from '../../harness/append-record.ts';
import type { TestRecord } from '../../harness/append-record.ts';
import { recordsOfBatches } from '../../harness/log-contract.ts';
import type { ReadRecord } from '../../harness/log-contract.ts';

const AT = { topic: 't', partition: 0 };
const limitsOf = (recordBytesMax: number, batchBytesMax = recordBytesMax): TopicLimits => ({
  batchBytesMax,
  recordBytesMax,
  keyed: false,
  timestampMin: -Infinity,
  timestampMax: Infinity,
});

function appendTo(appender: SlabAppender, record: TestRecord): void {
  appendRecord({ appender: () => appender } as unknown as LogWriter, AT, record);
}

/** What stands in batches, one behind the other. */
function read(batches: readonly Buffer[]): ReadRecord[] {
  let base = 0;
  return batches.flatMap((bytes) => {
    writeInt64(bytes, 0, base);
    const decoded = decodeBatches(AT.topic, AT.partition, bytes, 0, bytes.length, base);
    base = decoded.nextOffset;
    return recordsOfBatches(decoded.batches);
  });
}

test('a batch is cut into such that the topic takes, with the same records and sequence numbers', async () => {
  const compressors = await Promise.all(COMPRESSIONS.map((each) => openCompressor(each)));
  const record = fc.record({
    key: fc.option(fc.string({ maxLength: 20 }), { nil: null }),
    value: fc.option(fc.string({ maxLength: 300 }), { nil: null }),
    timestamp: fc.nat(),
    headers: fc.array(fc.record({ key: fc.string(), value: fc.constant(Buffer.from('h')) }), {
      maxLength: 1,
    }),
  });
  fc.assert(
    fc.property(
      fc.array(record, { minLength: 1, maxLength: 60 }),
      fc.constantFrom(...compressors),
      fc.integer({ min: 1500, max: 5000 }),
      fc.integer({ min: 0, max: 0x7fff_ffff }),
      fc.boolean(),
      (records, compressor, bytesMax, sequence, isTransactional) => {
        const appender = new SlabAppender(AT, { compressor });
        for (const each of records) appendTo(appender, each);
        const [batch] = appender.take({ producerId: 2 ** 40, producerEpoch: 7, sequence, isTransactional });
        const parts = splitBatch(batch!, AT, limitsOf(bytesMax), compressor);
        let next = sequence;
        for (const { bytes, recordCount } of parts) {
          expect(bytes.length).toBeLessThanOrEqual(bytesMax);
          expect(readInt64(bytes, PRODUCER_ID_AT)).toBe(2 ** 40);
          expect(bytes.readInt16BE(PRODUCER_EPOCH_AT)).toBe(7);
          expect(bytes.readInt32BE(BASE_SEQUENCE_AT)).toBe(next);
          expect((bytes.readInt16BE(ATTRIBUTES_AT) & TRANSACTIONAL_BIT) !== 0).toBe(isTransactional);
          next = (next + recordCount) % 0x8000_0000;
        }
        expect(read(parts.map(({ bytes }) => bytes))).toEqual(read([batch!.bytes]));
      },
    ),
    { numRuns: 200 },
  );
});

test('a batch without a producer stays without', () => {
  const appender = new SlabAppender(AT);
  for (let i = 0; i < 100; i++) appendTo(appender, { value: `value ${i}` });
  const parts = splitBatch(appender.take()[0]!, AT, limitsOf(500), null);
  expect(parts.length).toBeGreaterThan(3);
  for (const { bytes } of parts) {
    expect(readInt64(bytes, PRODUCER_ID_AT)).toBe(-1);
    expect(bytes.readInt32BE(BASE_SEQUENCE_AT)).toBe(-1);
  }
});

test('a record that the topic takes in no batch is named', () => {
  const appender = new SlabAppender(AT);
  appendTo(appender, { key: 'a', value: 'small' });
  appendTo(appender, { key: 'b', value: 'x'.repeat(2000) });
  appendTo(appender, { value: 'no key' });
  const [batch] = appender.take();
  const kindOf = (limits: TopicLimits): string => {
    try {
      return `${splitBatch(batch!, AT, limits, null).length} batches`;
    } catch (error) {
      return (error as LogError).kind;
    }
  };
  expect(kindOf(limitsOf(5000))).toBe('1 batches');
  expect(kindOf(limitsOf(5000, 1000))).toBe('3 batches');
  expect(kindOf(limitsOf(1000))).toBe('record-too-large');
  expect(kindOf({ ...limitsOf(5000), keyed: true })).toBe('record-refused');
});
