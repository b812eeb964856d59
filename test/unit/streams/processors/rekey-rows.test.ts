import { expect, test } from 'vitest';
import { rekeyRows } from '../../../../src/streams/processors/rekey-rows.ts';
import { type Serde, stringSerde } from '../../../../src/streams/topology/serde.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

test.each([
  [
    ['key', 'value'],
    ['null-key: no key', 'null-key: no key', 'null-value: no value'],
  ],
  [
    ['value', 'key'],
    ['null-key: no key', 'null-value: no value', 'null-value: no value'],
  ],
  [[], []],
] as const)(
  'a row’s new key; what misses what comes next needs (%j) is told in its order',
  async (parts, told) => {
    const opened = await openProcessor(
      rekeyRows({
        steps: [],
        keyOf: ([key]) => key,
        rowOfKey: (key) => (key.value === 'old' ? null : [key.value]),
        serde: stringSerde as Serde,
        needs: parts.map((part) => ({ part, detail: `no ${part}` })),
      }),
    );
    opened.process('old', ['new', 1], undefined, 1);
    opened.process('old', [null, 1], undefined, 2);
    opened.process('old', null, undefined, 3);
    opened.process('of key', null, undefined, 4);
    const all = [
      ['new', ['new', 1]],
      [null, [null, 1]],
      [null, null],
      ['of key', null],
    ];
    expect(opened.taken().map(({ key, value }) => [key, value])).toEqual(
      parts.length === 0 ? all : all.slice(0, 1),
    );
    expect(opened.skipped).toEqual(told);
  },
);
