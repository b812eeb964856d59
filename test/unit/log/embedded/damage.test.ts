import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { isFault, MAGIC_BYTES, readFrame } from '../../../../src/log/embedded/frame.ts';
import { openRepair } from '../../../../src/log/embedded/repair-journal.ts';
import { reservedSize } from '../../../../src/log/embedded/segment.ts';
import { appendRecord } from '../../../harness/append-record.ts';
import {
  openAndRead,
  readContent,
  readFiles,
  sameFiles,
  writeFiles,
} from '../../../harness/journal-directory.ts';
import { SeededRandom } from '../../../harness/random.ts';
import type { Content, Files } from '../../../harness/journal-directory.ts';

/**
 * Whatever happens to a byte of a journal: the log is what was acknowledged; or an unfinished last write is missing, and
 * that is logged; or the log is refused, or its reader is told, with the place, and every byte stays as it is. And then
 * repairing keeps all but the frame that was damaged.
 */

let root: string;
let directory: string;
/** As they were when the log was closed. */
let whole: Files;
let content: Content;
/** What the log was before its last write. */
let contentBefore: Content;
/** By file, where its frames begin and end. */
const frames = new Map<string, { readonly start: number; readonly end: number }[]>();
let newest: string;

beforeAll(async () => {
  // Thousands of directories that are synced: in memory where there is such a place.
  root = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'millrace-damage-'));
  directory = join(root, 'log');
  const log = await openEmbeddedLog({
    clock: systemClock,
    logger: silentLogger,
    directory,
    segmentBytesMax: 900,
  });
  await log.admin.createTopic({ name: 'a', partitions: 2 });
  await log.admin.createTopic({ name: 'gone', partitions: 1 });
  await log.admin.createTopic({ name: 'b', partitions: 1, configs: { 'cleanup.policy': 'compact' } });
  const writer = await log.openWriter({ group: 'g' });
  const commit = async (n: number): Promise<void> => {
    appendRecord(writer, { topic: 'a', partition: n % 2 }, { value: `value ${n}` });
    if (n % 3 === 0) appendRecord(writer, { topic: 'b', partition: 0 }, { key: `${n}`, value: `b ${n}` });
    await writer.commit([{ topic: 'a', partition: 0, offset: n >> 1, metadata: '' }]);
  };
  for (let n = 0; n < 8; n++) await commit(n);
  await log.admin.deleteTopic('gone');
  await commit(9);
  contentBefore = (await readContent(log, ['g'])).content;
  await commit(10);
  content = (await readContent(log, ['g'])).content;
  await log.close();
  whole = readFiles(directory);
  for (const [name, bytes] of whole) {
    if (!name.endsWith('.log')) continue;
    newest = name;
    frames.set(name, framesOf(name, bytes));
  }
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

function framesOf(name: string, bytes: Buffer): { readonly start: number; readonly end: number }[] {
  const segment = { bytes, number: Number.parseInt(name, 10), version: 2 as const };
  const found: { start: number; end: number }[] = [];
  for (let at = MAGIC_BYTES; at < bytes.length;) {
    const frame = readFrame(segment, at);
    if (isFault(frame)) throw new Error(frame.what);
    found.push(frame);
    at = frame.end;
  }
  return found;
}

const OPTIONS = { segmentBytesMax: 900, cacheBytesMax: 0 };

/** As a process leaves them that was killed: without the note of the end, and what was reserved is still there. */
function killed(files: Files): Files {
  const left = new Map([...files].filter(([name]) => name !== 'end'));
  const last = [...left.keys()].findLast((name) => name.endsWith('.log'))!;
  const bytes = left.get(last)!;
  return left.set(last, Buffer.concat([bytes, Buffer.alloc(reservedSize(bytes.length) - bytes.length)]));
}

function withBytes(files: Files, name: string, change: (bytes: Buffer) => Buffer): Files {
  return new Map(
    [...files].map(([other, bytes]) => [other, other === name ? change(Buffer.from(bytes)) : bytes]),
  );
}

function flipped(files: Files, name: string, at: number, bit: number): Files {
  return withBytes(files, name, (bytes) => {
    bytes[at]! ^= 1 << bit;
    return bytes;
  });
}

/** Opens what `files` are and returns how it went, after checking that it was right, or less with a word, or refused. */
async function judge(files: Files, what: string): Promise<'right' | 'less' | 'refused' | 'told'> {
  writeFiles(directory, files);
  const opened = await openAndRead(directory, ['g'], OPTIONS);
  const { error, warnings } = opened;
  if (error !== null) {
    expect(error.message, what).toMatch(/at byte \d+|is missing|no batch of offsets/);
    expect(error.message, what).toContain(directory);
    if (opened.content !== null) return 'told';
    expect(sameFiles(readFiles(directory), files), what).toBe(true);
    return 'refused';
  }
  if (isSame(opened.content!, content)) {
    return 'right';
  }
  expect(opened.content, what).toEqual(contentBefore);
  expect(warnings, what).toHaveLength(1);
  const { file, position, bytes, kept } = warnings[0]!.fields;
  expect(file, what).toBe(join(directory, newest));
  const { start } = frames.get(newest)!.at(-1)!;
  const tail = files.get(newest)!.subarray(start);
  const end = tail.findLastIndex((byte) => byte !== 0) + 1;
  expect([position, bytes], what).toEqual([start, end]);
  const aside = readFiles(directory).get(String(kept).split('/').at(-1)!);
  expect(aside?.equals(tail.subarray(0, end)), what).toBe(true);
  return 'less';
}

function isSame(a: Content, b: Content): boolean {
  return JSON.stringify([...a]) === JSON.stringify([...b]);
}

function isInHead(name: string, at: number): boolean {
  return (frames.get(name) ?? []).some(({ start }) => at >= start && at < start + 16);
}

/** Each byte of a file with a bit of it turned; of a frame's head each bit. */
function* flips(name: string): Generator<{ at: number; bit: number; what: string }> {
  for (let at = 0; at < whole.get(name)!.length; at++) {
    for (let bit = 0; bit < 8; bit++)
      if (bit === at % 8 || isInHead(name, at))
        yield { at, bit, what: `bit ${bit} of byte ${at} of ${name}` };
  }
}

/** The oldest and the one before the newest. */
function closedFiles(): string[] {
  const names = [...frames.keys()];
  return [names[0]!, names.at(-2)!];
}

/** An index is made again. Without the note of the end nobody knows whether the newest file was cut. */
function withoutIt(name: string): 'refused' | 'right' {
  return name === 'end' ? 'refused' : 'right';
}

describe('a turned bit', () => {
  test('anywhere in the newest file is refused, whether the log was closed or its process killed', async () => {
    for (const files of [whole, killed(whole)])
      for (const { at, bit, what } of flips(newest))
        expect(await judge(flipped(files, newest, at, bit), what), what).toBe('refused');
  });

  test('in a file before it is refused, or the reader that meets it is told, or nothing depends on it', async () => {
    for (const name of closedFiles()) {
      const counts = { right: 0, less: 0, refused: 0, told: 0 };
      for (const { at, bit, what } of flips(name)) counts[await judge(flipped(whole, name, at, bit), what)]++;
      expect(counts.less).toBe(0);
      expect(counts.told).toBeGreaterThan(100);
      const index = name.replace('.log', '.index');
      const bare = new Map([...whole].filter(([other]) => other !== index));
      for (const { at, bit, what } of flips(name))
        if (at % 3 === 0) expect(await judge(flipped(bare, name, at, bit), what), what).toBe('refused');
    }
  });

  test('in an index changes nothing, and in the note of the end is refused', async () => {
    for (const name of whole.keys())
      if (!frames.has(name))
        for (const { at, bit, what } of flips(name))
          expect(await judge(flipped(whole, name, at, bit), what), what).toBe(withoutIt(name));
  });
});

describe('a last write that was not finished', () => {
  test('goes with a word, wherever it ended, and is put aside', async () => {
    const { start, end } = frames.get(newest)!.at(-1)!;
    // A frame of which nothing but zeros was written is none.
    const first = whole.get(newest)!.findIndex((byte, at) => at >= start && byte !== 0);
    for (let at = first + 1; at < end; at++) {
      const unfinished = withBytes(killed(whole), newest, (bytes) => bytes.fill(0, at, end));
      const what = `nothing from ${at} on`;
      // With the last checksum in part, it might as well be a whole write that was damaged.
      if (at <= end - 4) expect(await judge(unfinished, what)).toBe('less');
      else expect(['refused', 'right']).toContain(await judge(unfinished, what));
      const closed = withBytes(whole, newest, (bytes) => bytes.fill(0, at, end));
      expect(['refused', 'right']).toContain(await judge(closed, what));
    }
  });
});

describe('a cut', () => {
  test('at each byte of any file is refused, whether the log was closed or its process killed', async () => {
    for (const name of [...closedFiles(), newest])
      for (let at = 0; at < whole.get(name)!.length; at++)
        for (const files of at % 2 === 0 || name === newest ? [whole, killed(whole)] : [whole]) {
          const cut = withBytes(files, name, (bytes) => bytes.subarray(0, at));
          expect(await judge(cut, `${name} cut at ${at}`)).toBe('refused');
        }
  });

  test('of an index changes nothing, and of the note of the end is refused', async () => {
    for (const name of whole.keys())
      for (let at = 0; at < whole.get(name)!.length && !frames.has(name); at += 3)
        expect(
          await judge(
            withBytes(whole, name, (bytes) => bytes.subarray(0, at)),
            `${name} cut at ${at}`,
          ),
        ).toBe(withoutIt(name));
  });

  // As a copy to a disk that is full leaves them.
  test('of the newest file and of the note of the end is refused, at each byte, also between frames', async () => {
    const noted = withBytes(whole, 'end', (bytes) => bytes.subarray(0, 0));
    for (let at = 0; at < whole.get(newest)!.length; at++) {
      const cut = withBytes(noted, newest, (bytes) => bytes.subarray(0, at));
      expect(await judge(cut, `${newest} cut at ${at}`)).toBe('refused');
    }
  });
});

describe('more bytes', () => {
  const tailed = (name: string, tail: Buffer): Files =>
    withBytes(whole, name, (bytes) => Buffer.concat([bytes, tail]));

  test('zeros behind a file are what was reserved', async () => {
    for (const name of frames.keys())
      for (const size of [1, 15, 512, 70_000])
        expect(await judge(tailed(name, Buffer.alloc(size)), `${size} zeros behind ${name}`)).toBe('right');
  });

  test('that are nothing are refused, in each file', async () => {
    const random = new SeededRandom(1);
    const garbage = Buffer.from(Array.from({ length: 700 }, () => random.integer(1, 255)));
    for (const name of frames.keys())
      for (const size of [16, 100, 700])
        for (const files of [
          tailed(name, garbage.subarray(0, size)),
          killed(tailed(name, garbage.subarray(0, size))),
        ])
          expect(await judge(files, `${size} more bytes in ${name}`)).toBe('refused');
  });

  test('a frame written twice is refused', async () => {
    const { start, end } = frames.get(newest)!.at(-1)!;
    const twice = tailed(newest, whole.get(newest)!.subarray(start, end));
    expect(await judge(killed(twice), 'the last frame twice')).toBe('refused');
  });
});

describe('sectors that a machine did not write before it lost its power', () => {
  let large: Files;
  let largeName: string;
  let last: { readonly start: number; readonly end: number };
  beforeAll(async () => {
    writeFiles(directory, whole);
    const log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger, directory });
    const writer = await log.openWriter();
    appendRecord(writer, { topic: 'a', partition: 0 }, { value: Buffer.alloc(3000) });
    await writer.flush();
    appendRecord(writer, { topic: 'a', partition: 0 }, { value: Buffer.alloc(3000, 'x') });
    await writer.flush();
    await log.close();
    const closed = readFiles(directory);
    largeName = [...closed.keys()].findLast((name) => name.endsWith('.log'))!;
    last = framesOf(largeName, closed.get(largeName)!).at(-1)!;
    large = killed(closed);
  });

  test('the tail of the last frame is zeros from a sector on: it is dropped with a word', async () => {
    for (let sector = Math.ceil(last.start / 512) * 512; sector < last.end - 4; sector += 512) {
      writeFiles(
        directory,
        withBytes(large, largeName, (bytes) => bytes.fill(0, sector)),
      );
      const { error, warnings } = await openAndRead(directory, [], OPTIONS);
      expect(error).toBeNull();
      expect(warnings.map(({ fields }) => fields['position'])).toEqual([last.start]);
    }
  });

  test('zeros that end in the frame, begin elsewhere, or a record of zeros that is damaged: refused', async () => {
    const sector = Math.ceil(last.start / 512) * 512;
    for (const [from, to] of [
      [sector, sector + 512],
      [last.start - 10, last.start],
    ] as const) {
      writeFiles(
        directory,
        withBytes(large, largeName, (bytes) => bytes.fill(0, from, to)),
      );
      const { error } = await openAndRead(directory, [], OPTIONS);
      expect(error?.message).toContain('at byte');
    }
    // Of the frame of zeros, as the last one, each byte.
    const zeros = killed(withBytes(large, largeName, (bytes) => bytes.subarray(0, last.start)));
    const { start } = frames.get(newest)!.at(-1)!;
    for (let at = start; at < last.start; at += at < start + 400 ? 1 : 97) {
      writeFiles(
        directory,
        withBytes(zeros, largeName, (bytes) => {
          bytes[at]! ^= 4;
          return bytes;
        }),
      );
      const { error } = await openAndRead(directory, [], OPTIONS);
      expect(error?.message, `byte ${at}`).toContain('at byte');
    }
  });
});

describe('files', () => {
  test('that are missing are named at once, also the newest', async () => {
    for (const name of frames.keys())
      for (const files of [whole, killed(whole)]) {
        writeFiles(directory, new Map([...files].filter(([other]) => other !== name)));
        const { error } = await openAndRead(directory, ['g'], OPTIONS);
        expect(error?.message).toContain(`${join(directory, name)} is missing`);
      }
  });

  test('of another place or another journal are refused', async () => {
    const names = [...frames.keys()];
    const other = join(root, 'other');
    const log = await openEmbeddedLog({
      clock: systemClock,
      logger: silentLogger,
      directory: other,
      segmentBytesMax: 900,
    });
    await log.admin.createTopic({ name: 'a', partitions: 2 });
    const writer = await log.openWriter();
    for (let n = 0; n < 60; n++) {
      appendRecord(writer, { topic: 'a', partition: n % 2 }, { value: `other ${n}` });
      await writer.flush();
    }
    await log.close();
    const foreign = readFiles(other);
    for (const name of names) {
      expect([...foreign.keys()]).toContain(name);
      const swapped = new Map(whole).set(name, foreign.get(name)!);
      expect(await judge(killed(swapped), `${name} of another journal`)).toBe('refused');
      for (const source of names)
        if (source !== name) {
          const moved = new Map(whole).set(name, whole.get(source)!);
          expect(await judge(moved, `${source} as ${name}`)).toBe('refused');
        }
    }
    const [first, second] = names.map((name) => name.replace('.log', '.index'));
    expect(await judge(new Map(whole).set(first!, whole.get(second!)!), 'index of another')).toBe('right');
    expect(await judge(new Map(whole).set(first!, foreign.get(first!)!), 'index of another journal')).toBe(
      'right',
    );
  });
});

describe('repair', () => {
  /** Repairs what `files` are. Afterwards the log opens, and takes records on offsets that none had. */
  async function repaired(files: Files, what: string): Promise<Content> {
    writeFiles(directory, files);
    const plan = await openRepair(directory);
    let aside: string;
    try {
      expect(plan.needed, what).toBe(true);
      expect(sameFiles(readFiles(directory), files), what).toBe(true);
      aside = plan.apply('now');
    } finally {
      plan.close();
    }
    // Each byte that was there is in its file or aside.
    const now = readFiles(directory);
    const kept = readFiles(aside);
    for (const [name, bytes] of files)
      if (now.get(name)?.equals(bytes) !== true)
        expect(kept.get(name)?.equals(bytes), `${what}: ${name}`).toBe(true);
    const opened = await openAndRead(directory, ['g'], OPTIONS, async (log) => {
      if (!(await log.admin.listTopics()).includes('a')) return;
      for (const [partition, { end }] of (await log.admin.offsets('a')).entries()) {
        const had = content.get(`a-${partition}`)!.length;
        expect(end, `${what}: next offset of a-${partition}`).toBeGreaterThanOrEqual(had);
      }
      const writer = await log.openWriter();
      appendRecord(writer, { topic: 'a', partition: 0 }, { value: 'new' });
      await writer.flush();
    });
    expect(opened.error, what).toBeNull();
    expect(opened.warnings, what).toEqual([]);
    const again = await openRepair(directory);
    again.close();
    expect(again.needed, what).toBe(false);
    return opened.content!;
  }

  /** The records that are no longer there. Those that are have the offsets that they had. */
  function missingOf(found: Content, what: string): string[] {
    const missing: string[] = [];
    for (const [name, records] of content) {
      if (name.startsWith('group')) continue;
      const left = new Set(found.get(name));
      for (const record of records) if (!left.delete(record)) missing.push(record);
      expect([...left], `${what}: ${name}`).toEqual([]);
    }
    return missing;
  }

  function recordsIn(name: string, start: number, end: number): string[] {
    const bytes = whole.get(name)!.subarray(start, end).toString('latin1');
    return [...content].flatMap(([place, records]) =>
      place.startsWith('group')
        ? []
        : records.filter((record) => bytes.includes(record.slice(record.indexOf(':') + 1))),
    );
  }

  test('after any turned bit keeps all but the frame that it is in; of a head, of checksums: all', async () => {
    let lost = 0;
    for (const name of [...closedFiles(), newest])
      for (const { at, bit, what } of flips(name)) {
        if (bit !== at % 8 || (at % 3 > 0 && !isInHead(name, at))) continue;
        const found = await repaired(flipped(whole, name, at, bit), what);
        const missing = missingOf(found, what);
        const frame = frames.get(name)!.find(({ start, end }) => at >= start && at < end);
        if (frame === undefined || at < frame.start + 16 || at >= frame.end - 4)
          expect(missing, what).toEqual([]);
        const had = recordsIn(name, frame?.start ?? 0, frame?.end ?? 0);
        expect(had, what).toEqual(expect.arrayContaining(missing));
        lost += missing.length;
      }
    expect(lost).toBeGreaterThan(100);
  });

  test('after a cut, a missing file or garbage keeps what the others have', async () => {
    for (const name of frames.keys()) {
      const bytes = whole.get(name)!;
      const without = new Map([...whole].filter(([other]) => other !== name));
      const cut = withBytes(whole, name, () => bytes.subarray(0, bytes.length >> 1));
      const more = withBytes(whole, name, () =>
        Buffer.concat([bytes, Buffer.from('some garbage at the end')]),
      );
      for (const files of [without, cut, more]) {
        const found = await repaired(files, name);
        const missing = missingOf(found, name);
        expect(recordsIn(name, 0, bytes.length), name).toEqual(expect.arrayContaining(missing));
        if (files === more) expect(missing).toEqual([]);
      }
    }
  });

  test('without the note of the end skips offsets that a cut of the newest file may have had', async () => {
    const noted = withBytes(whole, 'end', (bytes) => bytes.subarray(0, 0));
    const { start } = frames.get(newest)!.at(-1)!;
    for (const at of [start, start + 3, whole.get(newest)!.length])
      await repaired(
        withBytes(noted, newest, (bytes) => bytes.subarray(0, at)),
        `cut at ${at}`,
      );
  });

  test('that a process did not finish leaves what was repaired', async () => {
    const name = closedFiles()[0]!;
    const { start } = frames.get(name)![1]!;
    const damagedFiles = flipped(whole, name, start + 3, 2);
    const expected = await repaired(damagedFiles, 'whole');
    writeFiles(directory, damagedFiles);
    const repair = await openRepair(directory);
    repair.apply('now');
    repair.close();
    // The new file is there, and no other was removed yet; or only some were.
    const added = [...readFiles(directory)].filter(([other]) => !whole.has(other));
    for (const removed of [[], [name], ['end'], [name, name.replace('.log', '.index')]]) {
      const left = new Map([...damagedFiles, ...added].filter(([other]) => !removed.includes(other)));
      writeFiles(directory, left);
      const { content: found, error } = await openAndRead(directory, ['g'], OPTIONS);
      expect([error, isSame(found!, expected)]).toEqual([null, true]);
    }
  });

  test('of a log that is right changes nothing', async () => {
    writeFiles(directory, whole);
    const repair = await openRepair(directory);
    expect(repair.needed).toBe(false);
    expect(repair.files.every(({ findings }) => findings.length === 0)).toBe(true);
    repair.close();
    expect(sameFiles(readFiles(directory), whole)).toBe(true);
  });

  test('says which offsets are lost, and skips those that lost frames may have had', async () => {
    const { start, end } = frames.get(newest)!.at(-1)!;
    writeFiles(directory, flipped(whole, newest, start + 20, 0));
    const repair = await openRepair(directory);
    const finding = repair.files.at(-1)!.findings[0]!;
    expect(finding).toMatchObject({ start, end, loses: 'frame' });
    const ends = [...contentBefore].filter(([name]) => !name.startsWith('group'));
    expect(
      repair.lost.filter(({ maybe }) => maybe).map((lost) => [`${lost.topic}-${lost.partition}`, lost.from]),
    ).toEqual(ends.map(([name, records]) => [name, records.length]));
    repair.close();
    const name = closedFiles()[1]!;
    const frame = frames
      .get(name)!
      .findLast(({ start: from, end: to }) => recordsIn(name, from, to).length > 0)!;
    writeFiles(directory, flipped(whole, name, frame.start + 20, 0));
    const other = await openRepair(directory);
    const offsets = other.lost.map(({ from, to, maybe }) => [to - from, maybe]);
    expect(offsets).toEqual(recordsIn(name, frame.start, frame.end).map(() => [1, false]));
    other.close();
  });
});

describe('any damage, by seeds', () => {
  const SEEDS = Number(process.env['MILLRACE_TEST_SEEDS'] ?? 150);
  test('is noticed or harmless, and can be repaired to a part of what was there', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const random = new SeededRandom(seed);
      const logs = [...frames.keys()];
      let files: Files = random.chance(0.5) ? whole : killed(whole);
      const done: string[] = [];
      for (let i = random.integer(1, 3); i > 0; i--) {
        const name = random.pick(logs);
        if ((files.get(name)?.length ?? 0) === 0) continue;
        const kind = random.pick(['flip', 'zeros', 'swap', 'remove', 'copy'] as const);
        done.push(`${kind} ${name}`);
        if (kind === 'remove') files = new Map([...files].filter(([other]) => other !== name));
        else if (kind === 'copy')
          files = new Map(files).set(name, files.get(random.pick(logs)) ?? Buffer.alloc(0));
        else
          files = withBytes(files, name, (bytes) => {
            const at = random.integer(0, Math.max(0, bytes.length - 2));
            const size = random.integer(1, Math.min(64, bytes.length - at));
            if (kind === 'flip') bytes[at]! ^= 1 << random.integer(0, 7);
            else if (kind === 'zeros') bytes.fill(0, at, at + size);
            else bytes.subarray(at, at + size).reverse();
            return bytes;
          });
      }
      const what = `seed ${seed}: ${done.join(', ')}`;
      const harmless = sameFiles(files, whole) || sameFiles(files, killed(whole));
      writeFiles(directory, files);
      const opened = await openAndRead(directory, ['g'], OPTIONS);
      const isRight = opened.content !== null && isSame(opened.content, content);
      expect(isRight || opened.error !== null || opened.warnings.length > 0, what).toBe(true);
      if (harmless) expect(isRight, what).toBe(true);

      writeFiles(directory, files);
      const repair = await openRepair(directory);
      if (repair.needed) repair.apply('now');
      repair.close();
      const after = await openAndRead(directory, ['g'], OPTIONS);
      expect(after.error, what).toBeNull();
      for (const [name, records] of after.content!)
        if (!name.startsWith('group') && content.has(name))
          expect(content.get(name), `${what}: ${name}`).toEqual(expect.arrayContaining([...records]));
    }
  });
});
