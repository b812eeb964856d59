import { expect, test } from 'vitest';
import type { TaskState, WindowStoreOptions } from '../../../../src/state/store.ts';
import { aggregateTimeWindows } from '../../../../src/streams/processors/aggregate-time-windows.ts';
import { RecordKey } from '../../../../src/streams/topology/record-key.ts';
import { stringSerde } from '../../../../src/streams/topology/serde.ts';
import { numberValues } from '../../../harness/number-values.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

const STORE: WindowStoreOptions = {
  kind: 'window',
  name: 'counts',
  values: numberValues,
  changelog: false,
  persistent: false,
  retentionMs: 1000,
  duplicates: false,
};

/** A range costs the database an iterator, a window that is asked for alone its share of one batched read. */
test.each([
  ['the window of a record', 100, 100, ['700-700']],
  ['each of several', 100, 50, ['650-650', '700-700']],
  ['a range of very many', 100, 1, ['629-728']],
])('a windowed aggregate asks for %s', async (_what, sizeMs, advanceMs, expected) => {
  const open = aggregateTimeWindows({
    store: STORE.name,
    sizeMs,
    advanceMs,
    graceMs: 0,
    emit: 'update',
    skipNullValues: true,
    initial: () => 0,
    add: (n) => (n as number) + 1,
    sendOldValues: false,
    coalesce: false,
  });
  const { processor } = await openProcessor(open, { stores: [STORE] });
  const asked: string[] = [];
  const state = {
    want: (_store, _key, _start, _end, from, to) => void asked.push(`${from}-${to}`),
  } as Partial<TaskState> as TaskState;
  const key = new RecordKey(stringSerde);
  key.setValue('k');
  processor.prefetch!(key, 728, state);
  expect(asked).toEqual(expected);
});
