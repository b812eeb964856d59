import { expect, test } from 'vitest';
import {
  chooseActive,
  decodeMetadata,
  decodeTable,
  encodeMetadata,
  encodeTable,
  type TableMember,
} from '../../../../src/log/kafka/membership-table.ts';

const member = (memberId: string, claim: number | null, sinceMs: number): TableMember => {
  return { memberId, id: `id-${memberId}`, label: `process ${memberId}`, address: null, claim, sinceMs };
};

test('who is active stays so, the latest of several; else who has waited longest', () => {
  expect(chooseActive([])).toBe(null);
  expect(chooseActive([member('a', null, 20), member('b', null, 10)])).toBe('b');
  expect(chooseActive([member('a', 0, 20), member('b', null, 10)])).toBe('a');
  expect(chooseActive([member('a', 3, 10), member('b', 5, 20), member('c', 0, 1)])).toBe('b');
  // Two that began while nobody was there.
  expect(chooseActive([member('a', 0, 20), member('b', 0, 10)])).toBe('b');
  const same = [member('a', null, 10), member('b', null, 10)];
  expect(chooseActive(same)).toBe(chooseActive([...same].reverse()));
});

test('what members tell each other is read as it was written', () => {
  const { memberId: _, ...metadata } = member('a', 2, 7);
  expect(decodeMetadata(encodeMetadata(metadata))).toEqual(metadata);
  const table = {
    active: 'a',
    members: [member('a', 0, 1), { ...member('b', null, 2), address: 'http://b' }],
  };
  expect(decodeTable(encodeTable(table))).toEqual(table);
});

test('what another release or program has written is told from it', () => {
  const { memberId: _, ...metadata } = member('a', 2, 7);
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('null'),
    Buffer.from('{'),
    Buffer.from(JSON.stringify({ ...metadata, version: 2 })),
    Buffer.from(JSON.stringify({ ...metadata, version: 1, claim: 'x' })),
  ])
    expect(decodeMetadata(bytes)).toBe(null);
  for (const text of ['', 'null', '{"version":2,"active":null,"members":[]}', '{"version":1,"active":1}'])
    expect(decodeTable(Buffer.from(text))).toBe(null);
});
