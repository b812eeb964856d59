import { afterEach, beforeEach, expect, test } from 'vitest';
import { systemClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { type Command, CommandLog } from '../../../src/engine/command-log.ts';
import { openEmbeddedLog } from '../../../src/log/embedded/embedded-log.ts';
import type { Log } from '../../../src/log/log.ts';
import { appendRecord } from '../../harness/append-record.ts';

let log: Log;
beforeEach(async () => {
  log = await openEmbeddedLog({ clock: systemClock, logger: silentLogger });
});
afterEach(() => log.close());

const command = (sequence: number): Command => ({
  version: 1,
  statement: `DROP STREAM S${sequence};`,
  properties: { 'auto.offset.reset': 'latest' },
  sequence,
});

async function write(text: string): Promise<void> {
  const writer = await log.openWriter();
  appendRecord(writer, { topic: '_millrace_x_command_topic', partition: 0 }, { value: text });
  await writer.flush();
  await writer.close();
}

test('commands come back as they were written, in order, also to who opens it later', async () => {
  const commands = await CommandLog.open(log, 'x');
  expect(await commands.read()).toEqual([]);
  for (let i = 0; i < 3; i++) await commands.append(command(i), 1000, undefined);
  await commands.close();
  const later = await CommandLog.open(log, 'x');
  expect(await later.read()).toEqual([command(0), command(1), command(2)]);
  await later.close();
});

test.each([
  ['is not JSON', 'not json', /holds a record that is no command: not json/],
  ['is JSON of another kind', '[1]', /holds a record that is no command/],
  ['is null', 'null', /holds a record that is no command/],
  [
    'is of a later release',
    JSON.stringify({ ...command(1), version: 2 }),
    /written by a later release \(version 2\)/,
  ],
])('a record that %s is named and stops the replay', async (_what, text, message) => {
  const commands = await CommandLog.open(log, 'x');
  await write(text);
  await expect(commands.read()).rejects.toThrow(message);
  await commands.close();
});

test('topics with this name are kept for ever', async () => {
  const commands = await CommandLog.open(log, 'x');
  expect(await log.admin.topicConfigs(commands.topic)).toMatchObject({
    'retention.ms': '-1',
    'cleanup.policy': 'delete',
  });
  await commands.close();
});
