import { expect, test } from 'vitest';
import { CommandLog } from '../../../src/engine/command-log.ts';
import type { Log, WriterOptions } from '../../../src/log/log.ts';

test('commands are refused, and nobody is fenced, while another process writes them', async () => {
  const opened: (WriterOptions | undefined)[] = [];
  let closed = 0;
  const log = {
    admin: { createTopic: () => Promise.resolve(true) },
    openWriter: (options?: WriterOptions) => {
      opened.push(options);
      return Promise.resolve({ close: () => Promise.resolve(closed++) });
    },
  } as unknown as Log;
  const commands = await CommandLog.open(log, 's');
  const command = { version: 1, statement: 'x', properties: {}, sequence: 0 } as const;
  await expect(commands.append(command, 0, null)).rejects.toMatchObject({ kind: 'fenced' });
  expect(opened).toEqual([]);
  await commands.own();
  await commands.own();
  expect(opened).toEqual([{ transactionalId: '_millrace_s_command' }]);
  await commands.disown();
  expect(closed).toBe(1);
  await expect(commands.append(command, 0, null)).rejects.toMatchObject({ kind: 'fenced' });
  expect(opened).toHaveLength(1);
});
