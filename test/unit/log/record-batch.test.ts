import { createRequire } from 'node:module';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { compressSync } from 'snappy';
import { describe, expect, test } from 'vitest';
import { COMPRESSIONS, openCompressor } from '../../../src/log/codecs.ts';
import type { Compression, Compressor } from '../../../src/log/codecs.ts';
import { crc32c } from '../../../src/log/crc32c.ts';
import { LogError } from '../../../src/log/log.ts';
import { decodeBatches, readHeaders } from '../../../src/log/record-batch-codec.ts';
import type { DecodeOptions, DecodedBatches } from '../../../src/log/record-batch-codec.ts';
import {
  ATTRIBUTES_AT,
  CONTROL_BIT,
  COUNT_AT,
  CRC_AT,
  LAST_OFFSET_DELTA_AT,
  LENGTH_AT,
  LENGTH_END,
  LOG_APPEND_TIME_BIT,
  MAGIC_AT,
  MAX_TIMESTAMP_AT,
  PRODUCER_ID_AT,
  RECORDS_AT,
  TRANSACTIONAL_BIT,
  writeInt64,
} from '../../../src/log/record-batch-header.ts';
import type { Header } from '../../../src/log/record-batch.ts';
import { SlabAppender } from '../../../src/log/slab-appender.ts';
import type { SlabAppenderOptions, TopicLimits } from '../../../src/log/slab-appender.ts';
import { sizeOfVarint, sizeOfVarlong, writeVarint, writeVarlong } from '../../../src/log/varint.ts';

interface PlainRecord {
  readonly timestamp: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly Header[];
}

const compressors = new Map<Compression, Compressor | null>();
for (const each of COMPRESSIONS) compressors.set(each, await openCompressor(each));

const AT = { topic: 't', partition: 3 };
const NOTHING = Buffer.alloc(0);

function append(appender: SlabAppender, record: PlainRecord): void {
  const { key, value, headers } = record;
  appender.append(
    record.timestamp,
    key ?? NOTHING,
    key === null ? -1 : 0,
    key?.length ?? -1,
    value ?? NOTHING,
    value === null ? -1 : 0,
    value?.length ?? -1,
    headers.length === 0 ? null : headers,
  );
}

function encode(records: readonly PlainRecord[], options?: SlabAppenderOptions): Buffer[] {
  const appender = new SlabAppender(AT, options);
  for (const record of records) append(appender, record);
  let base = 0;
  return appender.take().map(({ bytes, recordCount }) => {
    writeInt64(bytes, 0, base);
    base += recordCount;
    return bytes;
  });
}

function decode(bytes: Buffer, position = 0, options?: DecodeOptions): DecodedBatches {
  return decodeBatches(AT.topic, AT.partition, bytes, 0, bytes.length, position, options);
}

function recordsOf({ batches }: DecodedBatches): (PlainRecord & { offset: number })[] {
  return batches.flatMap((batch) =>
    Array.from({ length: batch.count - batch.first }, (_, n) => {
      const i = batch.first + n;
      const part = (start: number, end: number): Buffer | null =>
        start < 0 ? null : Buffer.from(batch.buffer.subarray(start, end));
      return {
        offset: batch.offsets[i]!,
        timestamp: batch.timestamps[i]!,
        key: part(batch.keyStart[i]!, batch.keyEnd[i]!),
        value: part(batch.valueStart[i]!, batch.valueEnd[i]!),
        headers: readHeaders(batch, i).map(({ key, value }) => ({
          key,
          value: value === null ? null : Buffer.from(value),
        })),
      };
    }),
  );
}

function record(text: string, timestamp = 1000): PlainRecord {
  return { timestamp, key: Buffer.from(text), value: Buffer.from(`value of ${text}`), headers: [] };
}

/** Changes a batch and makes its CRC right again. */
function patched(bytes: Buffer, change: (bytes: Buffer) => void): Buffer {
  const copy = Buffer.from(bytes);
  change(copy);
  copy.writeUInt32BE(crc32c(copy, ATTRIBUTES_AT), CRC_AT);
  return copy;
}

function attributes(...bits: number[]): (bytes: Buffer) => void {
  return (bytes) => {
    bytes.writeInt16BE(
      bits.reduce((all, bit) => all | bit, 0),
      ATTRIBUTES_AT,
    );
  };
}

/** A batch of a transactional producer, at `offset`. */
function transactional(offset: number, producerId: number, texts: readonly string[]): Buffer {
  return patched(encode(texts.map((text) => record(text)))[0]!, (bytes) => {
    writeInt64(bytes, 0, offset);
    writeInt64(bytes, PRODUCER_ID_AT, producerId);
    attributes(TRANSACTIONAL_BIT)(bytes);
  });
}

function marker(offset: number, producerId: number, type: 0 | 1): Buffer {
  const plain = encode([{ ...record(''), key: Buffer.from([0, 0, 0, type]), value: Buffer.alloc(6) }])[0]!;
  return patched(plain, (bytes) => {
    writeInt64(bytes, 0, offset);
    writeInt64(bytes, PRODUCER_ID_AT, producerId);
    attributes(TRANSACTIONAL_BIT, CONTROL_BIT)(bytes);
  });
}

function keysOf(decoded: DecodedBatches): string[] {
  return recordsOf(decoded).map(({ key }) => String(key));
}

function kindOf(action: () => unknown): string | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof LogError) return error.kind;
    throw error;
  }
  return undefined;
}

const bytesOrNull = fc.option(
  fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  { nil: null },
);
const plainRecord: fc.Arbitrary<PlainRecord> = fc.record({
  timestamp: fc.oneof(
    fc.integer({ min: 1_600_000_000_000, max: 1_800_000_000_000 }),
    fc.integer({ min: -1000, max: 1000 }),
    fc.maxSafeInteger().map((n) => Math.floor(n / 4) + 0),
  ),
  key: bytesOrNull,
  value: bytesOrNull,
  headers: fc.array(fc.record({ key: fc.string({ unit: 'grapheme', maxLength: 10 }), value: bytesOrNull }), {
    maxLength: 4,
  }),
});

describe('varint', () => {
  const bytes = Buffer.alloc(12);
  test.each([
    [0, '00'],
    [-1, '01'],
    [1, '02'],
    [63, '7e'],
    [64, '8001'],
    [-64, '7f'],
    [-65, '8101'],
    [8191, 'fe7f'],
    [8192, '808001'],
    [2147483647, 'feffffff0f'],
    [-2147483648, 'ffffffff0f'],
  ])('%d', (value, hex) => {
    expect(bytes.toString('hex', 0, writeVarint(bytes, 0, value))).toBe(hex);
    expect(sizeOfVarint(value)).toBe(hex.length / 2);
    expect(bytes.toString('hex', 0, writeVarlong(bytes, 0, value))).toBe(hex);
  });

  test('64 bits agree with BigInt arithmetic', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        let z = BigInt.asUintN(64, (BigInt(value) << 1n) ^ (BigInt(value) >> 63n));
        const expected: number[] = [];
        for (; z >= 0x80n; z >>= 7n) expected.push(Number(z & 0x7fn) | 0x80);
        expected.push(Number(z));
        const end = writeVarlong(bytes, 0, value);
        expect([...bytes.subarray(0, end)]).toEqual(expected);
        expect(sizeOfVarlong(value)).toBe(expected.length);
      }),
    );
  });
});

describe('encode and decode', () => {
  test('give back what went in, over batches of any size, from any position', () => {
    fc.assert(
      fc.property(
        fc.array(plainRecord, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 700, max: 6000 }).map((n) => n + 1200),
        fc.constantFrom(...COMPRESSIONS),
        fc.nat(70),
        (records, batchBytesMax, compression, position) => {
          const batches = encode(records, { batchBytesMax, compressor: compressors.get(compression)! });
          for (const batch of batches) expect(batch.length).toBeLessThanOrEqual(batchBytesMax);
          const decoded = decode(Buffer.concat(batches), position);
          expect(recordsOf(decoded)).toEqual(
            records.map((plain, offset) => ({ offset, ...plain })).slice(position),
          );
          expect(decoded.nextOffset).toBe(Math.max(position, records.length));
        },
      ),
      { numRuns: 200 },
    );
  });

  test('begin a new batch before readers of other makes would choke on the count', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 10_000_000 });
    for (let i = 0; i < 120_000; i++) appender.append(0, NOTHING, -1, -1, NOTHING, -1, -1, null);
    expect(appender.take().map((batch) => batch.recordCount)).toEqual([50_000, 50_000, 20_000]);
  });
});

describe('decodeBatches', () => {
  const batch = encode([record('a'), record('b'), record('c')])[0]!;

  test('leaves a batch that is cut off, wherever the cut is', () => {
    const second = patched(batch, (bytes) => writeInt64(bytes, 0, 3));
    const both = Buffer.concat([batch, second]);
    for (let end = batch.length; end < both.length; end++) {
      const decoded = decodeBatches('t', 0, both, 0, end, 0);
      expect(keysOf(decoded)).toEqual(['a', 'b', 'c']);
      expect(decoded.nextOffset).toBe(3);
    }
    expect(decode(both).nextOffset).toBe(6);
  });

  test('reads in the middle of a buffer', () => {
    const padded = Buffer.concat([Buffer.alloc(5, 0xff), batch, Buffer.alloc(5, 0xff)]);
    expect(keysOf(decodeBatches('t', 0, padded, 5, 5 + batch.length, 1))).toEqual(['b', 'c']);
  });

  test('finds every flipped byte behind the CRC', () => {
    for (let at = CRC_AT; at < batch.length; at++) {
      const bytes = Buffer.from(batch);
      bytes[at]! ^= 0x10;
      expect(kindOf(() => decode(bytes))).toBe('corrupt');
    }
  });

  test('without the CRC check, damaged bytes end in an error or in ranges inside the batch, never in a crash', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: LENGTH_AT, max: batch.length - 1 }), fc.nat(255))),
        (damage) => {
          const bytes = Buffer.from(batch);
          for (const [at, value] of damage) bytes[at] = value;
          try {
            for (const found of decode(bytes, 0, { checkCrc: false }).batches) {
              for (let i = 0; i < found.count; i++) {
                expect(found.keyEnd[i]).toBeLessThanOrEqual(found.buffer.length);
                expect(found.valueEnd[i]).toBeLessThanOrEqual(found.buffer.length);
                readHeaders(found, i);
              }
            }
          } catch (error) {
            if (!(error instanceof LogError)) throw error;
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('a batch that compaction emptied moves the position', () => {
    const empty = patched(batch.subarray(0, RECORDS_AT), (bytes) => {
      bytes.writeInt32BE(RECORDS_AT - 12, LENGTH_AT);
      bytes.writeInt32BE(9, LAST_OFFSET_DELTA_AT);
      bytes.writeInt32BE(0, COUNT_AT);
    });
    expect(decode(empty)).toEqual({ batches: [], nextOffset: 10 });
  });

  test('a position in the gap behind the last record moves to the end of the batch', () => {
    const gap = patched(batch, (bytes) => bytes.writeInt32BE(9, LAST_OFFSET_DELTA_AT));
    expect(decode(gap, 5)).toEqual({ batches: [], nextOffset: 10 });
    expect(decode(gap, 2).batches[0]).toMatchObject({ first: 2, nextOffset: 10 });
  });

  test('batches below the position are stepped over and do not move it back', () => {
    expect(decode(batch, 7)).toEqual({ batches: [], nextOffset: 7 });
  });

  test('with LogAppendTime every record has the time of the broker', () => {
    const stamped = patched(batch, (bytes) => {
      attributes(LOG_APPEND_TIME_BIT)(bytes);
      writeInt64(bytes, MAX_TIMESTAMP_AT, 77);
    });
    expect(recordsOf(decode(stamped)).map(({ timestamp }) => timestamp)).toEqual([77, 77, 77]);
  });

  test('names the codec that it does not know', () => {
    const packed = patched(batch, attributes(5));
    expect(kindOf(() => decode(packed))).toBe('unsupported-codec');
    expect(() => decode(packed)).toThrow('codec 5');
  });

  test('snappy comes in one block, or in the blocks of the Java clients', () => {
    const records = batch.subarray(RECORDS_AT);
    const half = records.length >> 1;
    const block = (bytes: Buffer): Buffer => {
      const packed = compressSync(bytes);
      const size = Buffer.alloc(4);
      size.writeInt32BE(packed.length);
      return Buffer.concat([size, packed]);
    };
    const head = Buffer.from('\x82SNAPPY\0\0\0\0\x01\0\0\0\x01', 'latin1');
    const blocks = Buffer.concat([head, block(records.subarray(0, half)), block(records.subarray(half))]);
    for (const packed of [compressSync(records), blocks]) {
      const whole = Buffer.concat([batch.subarray(0, RECORDS_AT), packed]);
      whole.writeInt32BE(whole.length - LENGTH_END, LENGTH_AT);
      expect(recordsOf(decode(patched(whole, attributes(2))))).toEqual(recordsOf(decode(batch)));
    }
    const cut = Buffer.concat([batch.subarray(0, RECORDS_AT), blocks.subarray(0, -1)]);
    cut.writeInt32BE(cut.length - LENGTH_END, LENGTH_AT);
    expect(kindOf(() => decode(patched(cut, attributes(2))))).toBe('corrupt');
  });

  test('refuses messages of before Kafka 0.11', () => {
    const old = Buffer.from(batch);
    old[MAGIC_AT] = 1;
    expect(kindOf(() => decode(old))).toBe('unsupported-codec');
  });

  test.each([1, 2, 3, 4])('what codec %i cannot read is corrupt', (codec) => {
    expect(kindOf(() => decode(patched(batch, attributes(codec))))).toBe('corrupt');
  });

  test('gunzips what another client zipped', () => {
    const zipped = gzipSync(batch.subarray(RECORDS_AT), { level: 9 });
    const whole = patched(Buffer.concat([batch.subarray(0, RECORDS_AT), zipped]), (bytes) => {
      bytes.writeInt32BE(bytes.length - 12, LENGTH_AT);
      attributes(1)(bytes);
    });
    expect(keysOf(decode(whole))).toEqual(['a', 'b', 'c']);
    expect(decode(whole).batches[0]!.sizeBytes).toBe(whole.length);
  });
});

describe('aborted transactions', () => {
  test('are hidden, markers and all, and everything moves the position', () => {
    const bytes = Buffer.concat([
      transactional(0, 7, ['a', 'b']),
      marker(2, 7, 0),
      transactional(3, 7, ['c']),
      marker(4, 7, 1),
    ]);
    const decoded = decode(bytes, 0, { aborted: [{ producerId: 7, firstOffset: 0 }] });
    expect(keysOf(decoded)).toEqual(['c']);
    expect(decoded.nextOffset).toBe(5);
  });

  test('do not end at a record whose key looks like an abort marker', () => {
    const intKeyZero = patched(
      encode([{ ...record('x'), key: Buffer.alloc(4) }, record('b')])[0]!,
      (bytes) => {
        writeInt64(bytes, PRODUCER_ID_AT, 7);
        attributes(TRANSACTIONAL_BIT)(bytes);
      },
    );
    const bytes = Buffer.concat([intKeyZero, transactional(2, 7, ['c']), marker(3, 7, 0)]);
    expect(keysOf(decode(bytes, 0, { aborted: [{ producerId: 7, firstOffset: 0 }] }))).toEqual([]);
  });

  test('may overlap, and be listed in any order, and have begun before the fetch', () => {
    const bytes = Buffer.concat([
      transactional(10, 1, ['a']),
      transactional(11, 2, ['b']),
      transactional(12, 3, ['kept']),
      marker(13, 1, 0),
      transactional(14, 2, ['c']),
      transactional(15, 1, ['kept too']),
      marker(16, 2, 0),
      marker(17, 1, 1),
    ]);
    const aborted = [
      { producerId: 2, firstOffset: 5 },
      { producerId: 1, firstOffset: 3 },
    ];
    expect(keysOf(decode(bytes, 10, { aborted }))).toEqual(['kept', 'kept too']);
  });

  test('a commit marker of the same producer does not end a later aborted one', () => {
    const bytes = Buffer.concat([
      transactional(0, 1, ['a']),
      marker(1, 1, 1),
      transactional(2, 1, ['b']),
      marker(3, 1, 0),
    ]);
    expect(keysOf(decode(bytes, 0, { aborted: [{ producerId: 1, firstOffset: 2 }] }))).toEqual(['a']);
  });

  test('only an abort marker ends one', () => {
    const bytes = Buffer.concat([transactional(0, 1, ['a']), marker(1, 1, 1), transactional(2, 1, ['b'])]);
    expect(keysOf(decode(bytes, 0, { aborted: [{ producerId: 1, firstOffset: 0 }] }))).toEqual([]);
  });

  test('records of the same producer outside a transaction stay', () => {
    const plain = patched(transactional(0, 1, ['a']), attributes());
    expect(keysOf(decode(plain, 0, { aborted: [{ producerId: 1, firstOffset: 0 }] }))).toEqual(['a']);
  });
});

describe('SlabAppender', () => {
  test('rolls back to any mark, over sealed batches too', () => {
    fc.assert(
      fc.property(
        fc.array(plainRecord, { minLength: 1, maxLength: 40 }),
        fc.array(plainRecord, { maxLength: 40 }),
        fc.array(plainRecord, { maxLength: 10 }),
        (kept, forgotten, later) => {
          const options = { batchBytesMax: 1500 };
          const appender = new SlabAppender(AT, options);
          for (const plain of kept) append(appender, plain);
          const before = { records: appender.pendingRecords, bytes: appender.pendingBytes };
          expect(before.records).toBe(kept.length);
          const mark = appender.mark();
          for (const plain of forgotten) append(appender, plain);
          appender.rollback(mark);
          expect({ records: appender.pendingRecords, bytes: appender.pendingBytes }).toEqual(before);
          for (const plain of later) append(appender, plain);
          const straight = new SlabAppender(AT, options);
          for (const plain of [...kept, ...later]) append(straight, plain);
          // A rollback that emptied a batch begins it again: the batches are the same, bytes and heads.
          expect(appender.take()).toEqual(straight.take());
          expect(appender.pendingRecords).toBe(0);
          expect(appender.pendingBytes).toBe(0);
          expect(appender.take()).toEqual([]);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a record too large throws and adds nothing', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 1000 });
    append(appender, record('a'));
    const large = { ...record('b'), value: Buffer.alloc(1000) };
    expect(kindOf(() => append(appender, large))).toBe('record-too-large');
    append(appender, record('c'));
    expect(keysOf(decode(appender.take()[0]!.bytes))).toEqual(['a', 'c']);
  });

  test('a record may be larger than a batch of several, in a batch of its own', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 1000, recordBytesMax: 5000 });
    append(appender, record('a'));
    append(appender, { ...record('large'), value: Buffer.alloc(4800) });
    append(appender, record('b'));
    append(appender, record('c'));
    expect(kindOf(() => append(appender, { ...record('d'), value: Buffer.alloc(5000) }))).toBe(
      'record-too-large',
    );
    const batches = appender.take().map(({ bytes }) => keysOf(decode(bytes)));
    expect(batches).toEqual([['a'], ['large'], ['b', 'c']]);
  });

  test('the largest record is told by the bytes of its batch', () => {
    const sizeOf = (value: number): number => {
      const appender = new SlabAppender(AT, { recordBytesMax: 1_500_000 });
      append(appender, { ...record('k'), value: Buffer.alloc(value) });
      return appender.take()[0]!.bytes.length;
    };
    const fits = 1_048_576 - (sizeOf(1_000_000) - 1_000_000);
    expect(sizeOf(fits)).toBe(1_048_576);
    const appender = new SlabAppender(AT);
    append(appender, { ...record('k'), value: Buffer.alloc(fits) });
    const larger = { ...record('k'), value: Buffer.alloc(fits + 1) };
    expect(() => append(appender, larger)).toThrow(
      'it has 1048577 bytes, and a request may have 1048576 (max.request.size)',
    );
  });

  test('the memory of one large record is given back', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 2000, recordBytesMax: 10_000_000 });
    append(appender, { ...record('large'), value: Buffer.alloc(9_000_000) });
    for (const batch of appender.take()) appender.release(batch);
    for (let i = 0; i < 3; i++) {
      append(appender, record('small'));
      expect(appender.take()[0]!.bytes.buffer.byteLength).toBeLessThan(10_000);
    }
  });

  describe('with what is known of the topic', () => {
    const limits: TopicLimits = {
      batchBytesMax: 1000,
      recordBytesMax: 2000,
      keyed: false,
      timestampMin: -Infinity,
      timestampMax: Infinity,
    };

    test('keeps batches below what it takes, and refuses records above it', () => {
      const appender = new SlabAppender(AT, { limits });
      for (let i = 0; i < 100; i++) append(appender, record(`record ${i}`));
      append(appender, { ...record('large'), value: Buffer.alloc(1800) });
      const tooLarge = { ...record('x'), value: Buffer.alloc(2000) };
      expect(() => append(appender, tooLarge)).toThrow('the topic takes 2000 (max.message.bytes)');
      const sizes = appender.take().map(({ bytes, recordCount }) => [recordCount, bytes.length] as const);
      expect(sizes.filter(([count, bytes]) => bytes > (count === 1 ? 2000 : 1000))).toEqual([]);
    });

    test('learns it in the middle of a batch', () => {
      const appender = new SlabAppender(AT);
      for (let i = 0; i < 100; i++) append(appender, record(`record ${i}`));
      appender.limit(limits);
      for (let i = 0; i < 100; i++) append(appender, record(`record ${i}`));
      const [begun, ...later] = appender.take();
      expect(begun!.recordCount).toBe(100);
      for (const { bytes } of later) expect(bytes.length).toBeLessThanOrEqual(1000);
      appender.limit({ ...limits, batchBytesMax: 1e6, recordBytesMax: 1e6 });
      for (let i = 0; i < 100; i++) append(appender, record(`record ${i}`));
      expect(appender.take()).toHaveLength(1);
    });

    test('goes by the compressed size of a record', () => {
      const compressor = compressors.get('zstd')!;
      const appender = new SlabAppender(AT, { limits, compressor });
      const value = Buffer.alloc(100_000, 'shrinks ');
      append(appender, { ...record('shrinks'), value });
      const noise = Buffer.from(Array.from({ length: 3000 }, (_, i) => (i * i * 2_654_435_761) >>> 13));
      expect(kindOf(() => append(appender, { ...record('x'), value: noise }))).toBe('record-too-large');
      append(appender, record('after'));
      const batches = appender.take();
      expect(batches.map(({ bytes }) => keysOf(decode(bytes)))).toEqual([['shrinks'], ['after']]);
      expect(batches[0]!.bytes.length).toBeLessThan(2000);
    });

    test('refuses records without a key, and times', () => {
      const appender = new SlabAppender(AT, {
        limits: { ...limits, keyed: true, timestampMin: 10, timestampMax: 20 },
      });
      const at = (timestamp: number): PlainRecord => ({ ...record('a'), timestamp });
      append(appender, at(10));
      expect(kindOf(() => append(appender, at(9)))).toBe('record-refused');
      expect(kindOf(() => append(appender, at(21)))).toBe('record-refused');
      expect(kindOf(() => append(appender, { ...at(20), key: null }))).toBe('record-refused');
      append(appender, at(20));
      expect(appender.take()[0]!.recordCount).toBe(2);
    });
  });

  test('taken batches do not change when the appender goes on', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 2000 });
    const taken = [];
    for (let i = 0; i < 300; i++) {
      append(appender, record(`record ${i}`));
      if (i % 7 === 0) taken.push(...appender.take());
    }
    taken.push(...appender.take());
    expect(taken.flatMap(({ bytes }) => keysOf(decode(bytes)))).toEqual(
      Array.from({ length: 300 }, (_, i) => `record ${i}`),
    );
  });

  test('a small batch does not hold the memory of a large one', () => {
    const appender = new SlabAppender(AT);
    for (let i = 0; i < 20_000; i++) append(appender, record(`record ${i}`));
    appender.take();
    append(appender, record('small'));
    expect(appender.take()[0]!.bytes.buffer.byteLength).toBeLessThan(20_000);
  });

  test('released memory is used again', () => {
    const appender = new SlabAppender(AT, { batchBytesMax: 2000 });
    const fill = (): Buffer => {
      for (let i = 0; i < 40; i++) append(appender, record(`record ${i}`));
      const [first, ...rest] = appender.take();
      for (const batch of rest) appender.release(batch);
      appender.release(first!);
      return first!.bytes;
    };
    fill();
    const buffers = new Set(Array.from({ length: 20 }, () => fill().buffer));
    expect(buffers.size).toBeLessThan(6);
  });
});

describe('against the codec of kafkajs', () => {
  const require = createRequire(import.meta.url);
  const Decoder = require('kafkajs/src/protocol/decoder');
  const decodeTheirs = require('kafkajs/src/protocol/recordBatch/v0/decoder');
  const { RecordBatch } = require('kafkajs/src/protocol/recordBatch/v0');
  const encodeRecord = require('kafkajs/src/protocol/recordBatch/record/v0');
  const Long = require('kafkajs/src/utils/long');
  // Their headers are an object of non-null values, and an absent array is not null: keep to what both can say.
  const common = plainRecord.map((plain) => ({
    ...plain,
    headers: plain.headers
      .filter(({ value }) => value !== null)
      .slice(0, 1)
      // Not `constructor` and the like, which their object has already.
      .map(({ key, value }) => ({ key: `h${key}`, value })),
  }));

  test('they read what we write', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(common, { minLength: 1, maxLength: 20 }),
        fc.constantFrom('none' as const, 'gzip' as const),
        async (records, compression) => {
          const bytes = encode(records, { compressor: compressors.get(compression)! })[0]!;
          writeInt64(bytes, 0, 1000);
          const theirs = await decodeTheirs(new Decoder(bytes));
          expect(theirs.records).toHaveLength(records.length);
          records.forEach((ours, i) => {
            const found = theirs.records[i];
            expect(found.offset).toBe(String(1000 + i));
            expect(found.timestamp).toBe(String(ours.timestamp));
            expect(found.key).toEqual(ours.key);
            expect(found.value).toEqual(ours.value);
            for (const { key, value } of ours.headers) expect(found.headers[key]).toEqual(value);
          });
        },
      ),
      { numRuns: 100 },
    );
  });

  test('we read what they write', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(common, { minLength: 1, maxLength: 20 }),
        fc.constantFrom(0, 1),
        async (records, compression) => {
          const firstTimestamp = records[0]!.timestamp;
          const encoder = await RecordBatch({
            compression,
            firstOffset: Long.fromInt(1000),
            firstTimestamp,
            maxTimestamp: Math.max(...records.map(({ timestamp }) => timestamp)),
            lastOffsetDelta: records.length - 1,
            records: records.map(({ timestamp, key, value, headers }, offsetDelta) =>
              encodeRecord({
                offsetDelta,
                timestampDelta: timestamp - firstTimestamp,
                key,
                value,
                headers: Object.fromEntries(headers.map((header) => [header.key, header.value])),
              }),
            ),
          });
          const ours = recordsOf(decode(encoder.buffer));
          expect(ours).toEqual(records.map((plain, i) => ({ offset: 1000 + i, ...plain })));
        },
      ),
      { numRuns: 100 },
    );
  });
});
