import { expect, test } from 'vitest';
import { completeRows } from '../../../../src/streams/processors/complete-rows.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

/** Texts in small letters. */
const small: Serde = {
  serialize: (value, writer) => stringSerde.serialize((value as string).toLowerCase(), writer),
  deserialize: (buffer, start, end) => stringSerde.deserialize(buffer, start, end),
};

test('rows are completed from key, time and window', async () => {
  const opened = await openProcessor(
    completeRows({
      fill(row, key, timestamp, record) {
        row[1] = key.value;
        row[2] = [timestamp, key.windowStart, record.offset];
      },
      keyed: true,
      isWritten: null,
      serde: stringSerde as Serde,
    }),
  );
  opened.process('k', ['v', null, null], undefined, 7, [5, 10]);
  opened.process('k', null, undefined, 8);
  expect(opened.taken()).toMatchObject([
    { key: 'k', value: ['v', 'k', [7, 5, 0]], window: [5, 10] },
    { key: 'k', value: null },
  ]);
});

test('a key that is not written as its serde writes it is written anew, with its window', async () => {
  const opened = await openProcessor(
    completeRows({
      fill: null,
      keyed: true,
      isWritten: (buffer, start) => buffer[start]! >= 0x61,
      serde: small,
    }),
  );
  opened.process('Ab', [], undefined, 1, [5, 10]);
  opened.process('aB', [], undefined, 2);
  opened.process(null, [], undefined, 3);
  expect(opened.taken().map(({ key, window }) => [key, window])).toEqual([
    ['ab', [5, 10]],
    ['aB', null],
    [null, null],
  ]);
});

test('where the key is nobody’s to know, records go on without', async () => {
  const opened = await openProcessor(
    completeRows({ fill: null, keyed: false, isWritten: null, serde: small }),
  );
  opened.process('a', ['v'], undefined, 1);
  expect(opened.taken()).toMatchObject([{ key: null, value: ['v'] }]);
});
