import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Millrace, millrace } from '../harness/millrace.ts';

/** What the command line says of a data directory whose log is damaged, and does about it. */

let directory: string;
let file: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-repair-'));
  file = join(directory, 'log', '00000001.log');
  const made = await millrace([
    '--data-dir',
    directory,
    '-e',
    "CREATE STREAM S (ID INT KEY, V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);" +
      ['one', 'two', 'three'].map((v, i) => `INSERT INTO S VALUES (${i}, '${v}');`).join(''),
  ]);
  expect(made).toMatchObject({ code: 0, stderr: '' });
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

const SELECT = "SET 'auto.offset.reset'='earliest'; SELECT V FROM S EMIT CHANGES LIMIT 2;";
const select = (): ReturnType<typeof millrace> =>
  millrace(['--data-dir', directory, '--output', 'csv', '-e', SELECT]);

test('a damaged log is refused with the place; repair says what is lost, and the rest goes on', async () => {
  const bytes = readFileSync(file);
  bytes[bytes.indexOf('"two"') + 1]! ^= 1;
  writeFileSync(file, bytes);

  const refused = await select();
  expect(refused.code).toBe(1);
  const place = /00000001\.log is damaged at byte (\d+): /.exec(refused.stderr);
  expect(place, refused.stderr).not.toBeNull();
  expect(refused.stderr).toContain(`"millrace repair ${join(directory, 'log')} --dry-run"`);
  const server = new Millrace(['server', '--port', '0', '--data-dir', directory]);
  expect(await server.finished).toMatchObject({ code: 1, stderr: refused.stderr });
  expect(readFileSync(file)).toEqual(bytes);

  const dry = await millrace(['repair', directory, '--dry-run']);
  expect(dry).toMatchObject({ code: 0, stderr: '' });
  expect(dry.stdout).toContain(`  bytes ${place![1]} to `);
  expect(dry.stdout).toContain('lost: offset 1 of s-0\n');
  expect(dry.stdout).toContain('this was a dry run: nothing was changed\n');
  expect(readFileSync(file)).toEqual(bytes);

  const done = await millrace(['repair', directory]);
  expect(done).toMatchObject({ code: 0, stderr: '' });
  const aside = /are kept in (\S+)\n$/.exec(done.stdout)![1]!;
  expect(readFileSync(join(aside, '00000001.log'))).toEqual(bytes);

  expect(await select()).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/one\n.*three\n/s) as string,
  });
  const again = await millrace(['repair', join(directory, 'log')]);
  expect(again).toMatchObject({ code: 0, stdout: expect.stringContaining('nothing is damaged\n') as string });
});

test('an unfinished last write is told of at the default log level', async () => {
  rmSync(join(directory, 'log', 'end'));
  // The process had reserved so much, and died.
  const reserved = Buffer.alloc(64 * 1024);
  Buffer.from([0, 0, 1]).copy(reserved, readFileSync(file).copy(reserved));
  writeFileSync(file, reserved);
  const { code, stderr } = await select();
  expect(code).toBe(0);
  const line = JSON.parse(stderr) as Record<string, unknown>;
  expect(line).toMatchObject({
    level: 40,
    file,
    bytes: 3,
    msg: expect.stringContaining('unfinished write') as string,
  });
  expect(readFileSync(String(line['kept']))).toEqual(Buffer.from([0, 0, 1]));
});

test('what is no data directory, and one that is in use, are refused', async () => {
  const empty = join(directory, 'state');
  expect(await millrace(['repair', empty])).toMatchObject({
    code: 1,
    stderr: `error: ${empty} is no data directory: it has no embedded log\n`,
  });
  const server = new Millrace(['server', '--port', '0', '--data-dir', directory]);
  try {
    await server.until(() => server.stdout.includes('\n'), 'it listens');
    const { code, stderr } = await millrace(['repair', directory]);
    expect([code, stderr]).toEqual([1, expect.stringContaining('is in use by')]);
    // Inserts are refused when the directory is gone.
    const url = /http:\/\/\S+/.exec(server.stdout)![0];
    const insert = async (): Promise<string> => {
      const ksql = "INSERT INTO S VALUES (4, 'four');";
      const response = await fetch(`${url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql }) });
      return `${response.status} ${await response.text()}`;
    };
    expect(await insert()).toMatch(/^200 /);
    rmSync(join(directory, 'log'), { recursive: true });
    expect(await insert()).toMatch(/^[45]\d\d .*00000001.log is gone/);
    expect(readdirSync(directory)).not.toContain('log');
  } finally {
    await server.kill();
  }
});
