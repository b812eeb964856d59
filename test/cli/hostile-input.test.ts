import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, type Finished, Millrace, millrace, terminalMissing } from '../harness/millrace.ts';

/** Input that no user means, and streams that are not there: a clear error, the right exit code, no stack. */

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const CREATE = "CREATE STREAM S (V STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";

function file(name: string, bytes: Buffer | string): string {
  const path = join(directory, name);
  writeFileSync(path, bytes);
  return path;
}

/** In a shell, for its redirections. `$M` is the command line. */
function shell(script: string): Finished {
  const M = `'${process.execPath}' '${MAIN}'`;
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script.replaceAll('$M', M)], {
    cwd: directory,
    timeout: 60_000,
  });
  return { code: status, stdout: stdout.toString(), stderr: stderr.toString() };
}

const noise = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff));

describe('scripts that cannot be read end with 1 and say why', () => {
  const scripts: readonly (readonly [what: string, bytes: Buffer | null, reason: RegExp])[] = [
    ['a directory', null, /^cannot read .*: it is a directory$/],
    ['noise', noise, /^cannot read .*: byte 0x[0-9a-f]{2} in line \d+ is not UTF-8; save it as UTF-8$/],
    [
      'latin-1',
      Buffer.from(`${CREATE}\nINSERT INTO S VALUES ('caf\xe9');`, 'latin1'),
      /^cannot read .*: byte 0xe9 in line 2 is not UTF-8; save it as UTF-8$/,
    ],
    [
      'UTF-16',
      Buffer.from('\ufeffSHOW STREAMS;', 'utf16le'),
      /^cannot read .*: it is UTF-16; save it as UTF-8$/,
    ],
    ['cut within a character', Buffer.from('-- é').subarray(0, 4), /byte 0xc3 in line 1 is not UTF-8/],
  ];
  test.each(scripts)('%s', async (what, bytes, reason) => {
    const path = bytes === null ? directory : file(`${what}.sql`, bytes);
    for (const args of [
      ['run', path],
      ['server', '--port', '0', '--queries-file', path],
    ]) {
      const { code, stdout, stderr } = await millrace(args);
      expect(stderr.trimEnd()).toMatch(reason);
      expect([code, stdout]).toEqual([1, '']);
    }
    const { code, stderr } = await millrace([], `run script '${path}'\n`);
    expect(stderr.trimEnd()).toMatch(reason);
    expect(code).toBe(1);
  });

  test('a NUL is shown where it stands, and the terminal is told nothing', async () => {
    const { code, stderr } = await millrace([
      'run',
      file('nul.sql', 'SHOW STREAMS;\0\u001b[2J SHOW TABLES;'),
    ]);
    expect(stderr).toMatch(
      /^.*ML_SYNTAX: .*line 1, column 14.*\n {2}SHOW STREAMS;␀␛\[2J SHOW TABLES;\n {15}\^\n/,
    );
    expect(code).toBe(1);
  });

  test('a byte order mark is no mistake; nothing at all is none either', async () => {
    expect((await millrace(['run', file('bom.sql', '\ufeffSHOW STREAMS;')])).code).toBe(0);
    for (const text of ['', ' \n', '-- only this', '\ufeff'])
      expect(await millrace(['run', file('empty.sql', text)])).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('standard input', () => {
  test('a byte that is not UTF-8 ends it, after the lines before: nothing else is inserted in its place', async () => {
    const path = file(
      'input',
      Buffer.from(`${CREATE}\nINSERT INTO S VALUES ('\xe9');\nSHOW TABLES;\n`, 'latin1'),
    );
    const { code, stdout, stderr } = shell(`$M < '${path}'`);
    expect(stderr).toBe('cannot read standard input: a byte in line 2 is not UTF-8\n');
    expect(stdout).toContain('created');
    expect(code).toBe(1);
  });

  test('characters that come in pieces are whole', async () => {
    const running = new Millrace(['--output', 'csv']);
    const bytes = Buffer.from(`${CREATE} INSERT INTO S VALUES ('é€😀'); SELECT * FROM S;\n`);
    for (const byte of bytes) running.process.stdin!.write(Buffer.of(byte));
    running.process.stdin!.end();
    expect(await running.finished).toMatchObject({ code: 0, stderr: '' });
    expect(running.stdout).toContain('\né€😀\n');
  });

  test('a backslash at the end of a line joins the next to it, in a file it is a mistake', async () => {
    const text =
      "SHOW \\\nVARIABLES; -- one \\\nDEFINE x \\\n = 'two\\\nwords';\nSHOW VARIABLES;\noutput \\\njson\noutput\n";
    const { code, stdout, stderr } = await millrace(['--output', 'csv'], text);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('X,twowords\n');
    expect(stdout).toMatch(/json\n$/);
    expect((await millrace(['run', file('joined.sql', text)])).stderr).toContain('ML_SYNTAX');
  });

  test('noise and a line of 20 MB are refused in few words', async () => {
    const binary = shell(`$M < '${file('noise', noise)}'`);
    expect([binary.code, binary.stderr.length < 2000]).toEqual([1, true]);
    const long = await millrace([], 'x'.repeat(20_000_000));
    expect(long.stderr).toMatch(/^ML_SYNTAX: /);
    expect(long.stderr.length).toBeLessThan(2000);
    expect(long.code).toBe(1);
  });

  test('none, and one that is closed, are empty', () => {
    for (const script of ['$M < /dev/null', '$M <&-', '$M --output json <&- 2>&-'])
      expect(shell(script)).toEqual({ code: 0, stdout: '', stderr: '' });
  });
});

describe('standard output', () => {
  test('a full disk is an error, whatever is printed', () => {
    if (!existsSync('/dev/full')) return;
    for (const args of ["-e 'SHOW STREAMS;'", "--demo -e 'SELECT * FROM TRADES EMIT CHANGES;'", '--help'])
      expect(shell(`$M ${args} > /dev/full`)).toEqual({
        code: 1,
        stdout: '',
        stderr: expect.stringMatching(/^(error: the output could not be written|.*ENOSPC)/) as string,
      });
  });

  test('a reader that goes away is none, nor are streams that are closed', () => {
    for (const script of [
      "$M --demo -e 'SELECT * FROM TRADES EMIT CHANGES;' | head -1 > /dev/null",
      '$M --help | head -c 1 > /dev/null',
      "$M -e 'SHOW STREAMS;' >&-",
      "$M -e 'SHOW STREAMS;' <&- >&- 2>&-",
    ])
      expect(shell(script)).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(shell("$M -e 'SHOW STREAM S;' 2>&-").code).toBe(1);
  });
});

describe('options that cannot be meant end with 2 before anything is tried', () => {
  test.each([
    ['--kafka', ''],
    ['--kafka', 'localhost'],
    ['--kafka', 'localhost:0'],
    ['--kafka', 'localhost:99999'],
    ['--kafka', ':::'],
    ['--kafka', 'a:9092,,b:9092'],
    ['--kafka', 'http://localhost:9092'],
    ['--data-dir', ''],
    ['--data-dir', ' '],
  ])('%s %j', async (option, value) => {
    const { code, stdout, stderr } = await millrace([option, value, '-e', 'SHOW STREAMS;']);
    expect(stderr).toMatch(new RegExp(`^error: ${option} takes `));
    expect([code, stdout]).toEqual([2, '']);
  });
});

test.skipIf(terminalMissing() !== null)('a terminal of no size and no name is served', async () => {
  mkdirSync(join(directory, 'home'), { recursive: true });
  for (const TERM of ['', 'dumb', 'no-such-terminal']) {
    const running = new Millrace([], { terminal: true, env: { TERM, HOME: join(directory, 'home') } });
    await running.until(() => running.stdout.includes('millrace> '), 'the prompt');
    running.write('SHOW TYPES;\n\u0000\u0001\u001b[200~\u009b\n;\nexit\n');
    const { code, stdout } = await running.finished;
    expect([TERM, code]).toEqual([TERM, 0]);
    expect(stdout).not.toMatch(/\n\s+at /);
  }
});
