import { expect, test } from 'vitest';
import { DataError } from '../../../../src/common/error.ts';
import { decodeRecord } from '../../../../src/streams/processors/decode-record.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

/** Texts; `!` cannot be read. */
const readable: Serde = {
  serialize: (value, writer) => stringSerde.serialize(value as string, writer),
  deserialize(buffer, start, end) {
    const text = stringSerde.deserialize(buffer, start, end);
    if (text === '!') throw new DataError('unreadable');
    return text;
  },
};

test('a record of bare bytes gets key, window, value and time; one that cannot be read is dropped', async () => {
  const opened = await openProcessor(
    decodeRecord({
      key: stringSerde as Serde,
      value: readable,
      window: { kind: 'time', sizeMs: 10 },
      timeOf: (value, _key, recordTimestamp) => (value === 'no time' ? -1 : recordTimestamp + 1),
    }),
  );
  const start = Buffer.alloc(8);
  start.writeBigInt64BE(5n);
  const key = `k${start.toString()}`;
  opened.process(key, Buffer.from('v'), undefined, 1);
  opened.process(null, null, undefined, 2);
  opened.process(key, Buffer.from('!'), undefined, 3);
  opened.process(key, Buffer.from('no time'), undefined, 4);
  expect(opened.taken()).toMatchObject([
    { key: 'k', window: [5, 15], value: 'v', timestamp: 2 },
    { key: null, window: null, value: null, timestamp: 3 },
  ]);
  expect(opened.skipped).toEqual([
    'deserialization: unreadable',
    'timestamp: the record has no usable timestamp (-1)',
  ]);
});
