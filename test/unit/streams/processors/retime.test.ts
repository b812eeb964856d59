import { expect, test } from 'vitest';
import { retime } from '../../../../src/streams/processors/retime.ts';
import { openProcessor } from '../../../harness/open-processor.ts';

test('a new time: removals keep theirs, and rows without one are dropped', async () => {
  const opened = await openProcessor(retime((row) => (row as number[])[0]!));
  opened.process('a', [7], undefined, 1);
  opened.process('a', null, undefined, 2);
  opened.process('a', [-1], undefined, 3);
  expect(opened.taken().map(({ timestamp }) => timestamp)).toEqual([7, 2]);
  expect(opened.skipped).toEqual(['timestamp: the column for the timestamp holds none']);
});
