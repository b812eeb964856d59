import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openRepair } from '../../../../src/log/embedded/repair-journal.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import { openAndRead, readFiles, sameFiles, writeFiles } from '../../../harness/journal-directory.ts';
import type { Files } from '../../../harness/journal-directory.ts';

/**
 * A journal in version 1 of the format, as release 0.1 wrote it: commit i of 24 adds i % 3 + 1 records to partition
 * i % 2 of `orders`; after 15, partition 1 is trimmed to offset 2.
 */
const fixture = readFiles(fileURLToPath(new URL('../../../fixtures/journal-v1', import.meta.url)));
const newest = '00000006.log';

let root: string;
let directory: string;
beforeAll(() => {
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-old-'));
  directory = join(root, 'log');
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

const expected = new Map([
  ['orders-0', ordersOf(0)],
  ['orders-1', ordersOf(1).slice(2)],
  ['group readers', ['orders-0 11 m22', 'orders-1 11 m23']],
]);

function ordersOf(partition: number): string[] {
  const values: string[] = [];
  for (let i = partition; i < 24; i += 2) for (let j = 0; j <= i % 3; j++) values.push(`order ${i}.${j}`);
  return values.map((value, offset) => `${offset}:${value}`);
}

function changed(name: string, change: (bytes: Buffer) => Buffer): Files {
  return new Map(fixture).set(name, change(Buffer.from(fixture.get(name)!)));
}

test('opens as it is and goes on in the newer version', async () => {
  writeFiles(directory, fixture);
  for (let round = 0; round < 3; round++) {
    const { content, warnings } = await openAndRead(directory, ['readers'], {}, async (log) => {
      const writer = await log.openWriter();
      appendRecord(writer, { topic: 'orders', partition: 0 }, { key: 'k', value: `round ${round}` });
      await writer.flush();
    });
    expect(content!.get('orders-1')).toEqual(expected.get('orders-1'));
    expect(content!.get('group readers')).toEqual(expected.get('group readers'));
    expect(content!.get('orders-0')).toEqual([
      ...expected.get('orders-0')!,
      ...Array.from({ length: round }, (_, i) => `${ordersOf(0).length + i}:round ${i}`),
    ]);
    expect(warnings).toEqual([]);
  }
  expect([...readFiles(directory).keys()]).toContain('00000007.log');
});

test('an unfinished last write is dropped with a word; damage, and what is missing, is refused', async () => {
  const bytes = fixture.get(newest)!;
  // The last frame begins where its group's last commit is written.
  const last = bytes.lastIndexOf('[{"op":"append"') - 12;
  for (let at = last + 1; at < bytes.length; at++) {
    writeFiles(
      directory,
      changed(newest, (all) => all.subarray(0, at)),
    );
    const { content, warnings } = await openAndRead(directory, ['readers']);
    expect(content!.get('orders-1')).toEqual(expected.get('orders-1')!.slice(0, -3));
    expect(warnings.map(({ fields }) => fields['position'])).toEqual([last]);
  }
  const refused = async (files: Files, what: string): Promise<void> => {
    writeFiles(directory, files);
    const { error, content } = await openAndRead(directory, []);
    expect([error?.kind, content], what).toEqual(['corrupt', null]);
    expect(error!.message, what).toMatch(/at byte \d+|is missing|no batch of offsets/);
    expect(sameFiles(readFiles(directory), files), what).toBe(true);
  };
  for (let at = 0; at < bytes.length; at++)
    await refused(
      changed(newest, (all) => {
        all[at]! ^= 1 << (at % 8);
        return all;
      }),
      `bit ${at % 8} of byte ${at}`,
    );
  for (const name of fixture.keys())
    if (name.endsWith('.log'))
      await refused(new Map([...fixture].filter(([other]) => other !== name)), `without ${name}`);
});

test('can be repaired to all but the frame that was damaged', async () => {
  for (const name of ['00000004.log', newest])
    for (let at = 0; at < fixture.get(name)!.length; at += 3) {
      writeFiles(
        directory,
        changed(name, (all) => {
          all[at]! ^= 1 << (at % 8);
          return all;
        }),
      );
      const repair = await openRepair(directory);
      expect(repair.needed).toBe(true);
      repair.apply('now');
      repair.close();
      const { content, error } = await openAndRead(directory, ['readers']);
      expect(error).toBeNull();
      let missing = 0;
      for (const [place, records] of content!) {
        if (place.startsWith('group')) continue;
        expect(expected.get(place)).toEqual(expect.arrayContaining([...records]));
        missing += expected.get(place)!.length - records.length;
      }
      expect(missing).toBeLessThanOrEqual(3);
    }
});
