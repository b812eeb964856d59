import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { CommandLog } from '../../../src/engine/command-log.ts';
import { type Command, encodeCommand, type LoggedCommand } from '../../../src/engine/command.ts';
import { encodeSnapshotKey, type SnapshotKey } from '../../../src/engine/snapshot-key.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { appendRecord, type TestRecord } from '../../harness/append-record.ts';

const COMMANDS = { topic: '_millrace_x_command_topic', partition: 0 };

let log: Log;
let commands: CommandLog;
beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
  commands = await CommandLog.open(log, 'x');
});
afterEach(async () => {
  await commands.close();
  await log.close();
});

const command = (sequence: number): Command => ({
  version: 1,
  statement: `DROP STREAM S${sequence};`,
  properties: { 'auto.offset.reset': 'latest' },
  sequence,
});

async function write(...records: readonly TestRecord[]): Promise<void> {
  const writer = await log.openWriter();
  for (const record of records) appendRecord(writer, COMMANDS, record);
  await writer.flush();
  await writer.close();
}

async function append(...numbers: readonly number[]): Promise<void> {
  for (const each of numbers) await commands.append(command(each), 1000, null);
}

async function readAll(): Promise<readonly LoggedCommand[]> {
  return (await commands.read()).commands;
}

/** The sequence numbers of the commands that count. */
async function read(): Promise<readonly number[]> {
  return (await readAll()).map((each) => each.command?.sequence ?? NaN);
}

test('commands come back as they were written, in order, with their place, also to who opens it later', async () => {
  expect(await readAll()).toEqual([]);
  for (let i = 0; i < 3; i++) expect(await commands.append(command(i), 1000, null)).toBe(i);
  const later = await CommandLog.open(log, 'x');
  expect((await later.read()).commands.map(({ id, command: each }) => [id, each])).toEqual([
    [0, command(0)],
    [1, command(1)],
    [2, command(2)],
  ]);
  await later.close();
});

test.each([
  ['is no JSON', 'not json', 'is no command'],
  ['is JSON of another kind', '[1]', 'is no command'],
  ['is null', 'null', 'is no command'],
  ['is empty', '', 'is no command'],
  ['has no value', null, 'is no command'],
  ['has a statement and nothing else', '{"version":1,"statement":"x"}', 'is no command'],
  [
    'has properties that are no text',
    JSON.stringify({ ...command(1), properties: { a: 1 } }),
    'is no command',
  ],
  ['is no text', Buffer.from([0xff, 0xfe, 0]), 'is no command'],
  ['is of a later release', JSON.stringify({ ...command(1), version: 4 }), 'by a later release (version 4)'],
])('a record that %s is kept with what is wrong, and the others are read', async (_what, value, fault) => {
  await append(0);
  await write({ value });
  await append(2);
  const found = await readAll();
  expect(found).toHaveLength(3);
  expect(found[1]).toMatchObject({ id: 1, command: null, fault: expect.stringContaining(fault) as string });
  expect(found[1]!.value).toEqual(Buffer.from(value ?? ''));
});

test('the topic is kept for ever', async () => {
  expect(await log.admin.topicConfigs(commands.topic)).toMatchObject({
    'retention.ms': '-1',
    'cleanup.policy': 'delete',
  });
});

test('a snapshot takes the place of what it covers, keeps the commands as they were, and more come behind it', async () => {
  await append(0, 1, 2, 3);
  await write({ value: 'x' });
  const before = await readAll();
  const kept = [before[1]!, before[4]!];
  await commands.compact(kept, 17, 2000);
  expect((await log.admin.offsets(commands.topic))[0]!.start).toBe(5);
  expect(await commands.read()).toMatchObject({ commands: kept, sequence: 17 });
  await append(9);
  expect(await read()).toEqual([1, NaN, 9]);
  await commands.compact([before[1]!], 18, 3000);
  expect((await readAll()).map(({ id }) => id)).toEqual([1]);
});

const KEYS: readonly SnapshotKey[] = [
  { part: 'begin', snapshot: 's', format: 1, covers: 3, commands: 2, sequence: 5 },
  { part: 'command', snapshot: 's', id: 0 },
  { part: 'command', snapshot: 's', id: 2 },
  { part: 'end', snapshot: 's' },
];

const records = (keys: readonly SnapshotKey[]): TestRecord[] =>
  keys.map((key) => ({
    key: encodeSnapshotKey(key),
    value: key.part === 'command' ? encodeCommand(command(key.id)) : null,
  }));

test.each([0, 1, 2, 3])(
  'the first %i records of a snapshot change nothing, nor what comes behind',
  async (n) => {
    await append(0, 1, 2);
    await write(...records(KEYS.slice(0, n)));
    expect(await read()).toEqual([0, 1, 2]);
    await append(3);
    expect(await read()).toEqual([0, 1, 2, 3]);
    // And the next one is whole.
    await commands.compact((await readAll()).slice(1), 4, 2000);
    expect(await read()).toEqual([1, 2, 3]);
  },
);

test('what was written between its records, or since what it covers, is not lost', async () => {
  await append(0, 1, 2, 3);
  await write(records(KEYS)[0]!, records(KEYS)[1]!);
  await append(4);
  await write(records(KEYS)[2]!, records(KEYS)[3]!);
  await append(5);
  expect(await read()).toEqual([0, 2, 3, 4, 5]);
});

test('a snapshot in the format of a later release is read as far as it can be, and named', async () => {
  await append(0);
  await write(...records([{ ...KEYS[0]!, format: 2 } as SnapshotKey, ...KEYS.slice(1)]));
  const found = await readAll();
  expect(found.map((each) => each.command?.sequence ?? each.fault)).toEqual([
    0,
    'a snapshot was written by a later release (format 2)',
    0,
    2,
  ]);
});
