import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { MAIN, Millrace, millrace } from '../harness/millrace.ts';

/** The command line as its users meet it: exit codes, streams, formats, errors. */

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-cli-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const CREATE =
  "CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='s', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);";
const INSERT = "INSERT INTO S VALUES ('a', 1); INSERT INTO S VALUES ('b,\"', NULL);";

describe('a command line that is wrong ends with 2 and says why', () => {
  test.each([
    ['an unknown command', ['frobnicate'], /no command frobnicate/],
    ['an unknown option', ['--frobnicate'], /unknown option '--frobnicate'/],
    ['an option without its value', ['-e'], /argument missing/],
    ['a format that does not exist', ['--output', 'xml'], /Allowed choices are table, json, csv/],
    ['a size without a unit', ['--memory', '256', '-e', 'SHOW STREAMS;'], /such as 256M or 2G, not 256/],
    ['a setting without a value', ['--set', 'commit.interval.ms', '-e', 'SHOW STREAMS;'], /name=value/],
    [
      'a setting that does not exist',
      ['--set', 'no.such.property=1', '-e', 'SHOW STREAMS;'],
      /no property 'no.such.property'/,
    ],
    [
      'a bad value of a setting',
      ['--set', 'auto.offset.reset=sideways', '-e', 'SHOW STREAMS;'],
      /must be earliest or latest/,
    ],
    ['run without a file', ['run'], /missing required argument 'file'/],
    ...['http', '', '99999', '65536', '-1', '1e3', '0x1F90', '80.5', ' 80', '٣'].map(
      (port): [string, string[], RegExp] => [
        `port ${JSON.stringify(port)}`,
        ['server', `--port=${port}`],
        /--port takes a whole number from 0 to 65535/,
      ],
    ),
    [
      'a service of a bad name',
      ['--service-id', '../x', '-e', 'SHOW STREAMS;'],
      /--service-id takes up to 100/,
    ],
    [
      'an offset that is none',
      ['streams-reset', '--application-id', 'a', '--data-dir', '/nowhere', '--to-offset', '1e3'],
      /--to-offset takes a whole number of at least 0/,
    ],
    ['a server that is no URL', ['--server', 'foo', '-e', 'SHOW STREAMS;'], /--server takes a URL such as/],
    ['an option of the prompt', ['server', '--execute', 'SHOW STREAMS;'], /server does not take --execute/],
    ['an option of other commands', ['repair', '/nowhere', '--kafka', 'a:1'], /repair does not take --kafka/],
    ['a log level that does not exist', ['--log-level', 'loud', '-e', 'SHOW STREAMS;'], /log-level/],
  ])('%s', async (_what, args, message) => {
    const { code, stdout, stderr } = await millrace(args);
    expect(stderr).toMatch(message);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stdout).toBe('');
    expect(code).toBe(2);
  });
});

describe('a statement that fails ends with 1', () => {
  test('a syntax error shows line, column, caret and code', async () => {
    const { code, stdout, stderr } = await millrace(['-e', 'SHOW STREAMS;\nSELECT FROM S;']);
    expect(stderr).toMatch(/^ML_SYNTAX: .*\(line 2, column 8\)\n {2}SELECT FROM S;\n {9}\^{4}\n/);
    expect(stdout, 'nothing runs when one statement cannot be read').toBe('');
    expect(code).toBe(1);
  });

  test('a syntax error in a file names the file, and nothing of it runs', async () => {
    const path = file('bad.sql', `${CREATE}\nSHOW STREAMS;\nINSERT INTO S VALUES ('a' 1);\n`);
    const { code, stdout, stderr } = await millrace(['run', path]);
    expect(stderr).toMatch(/bad\.sql: ML_SYNTAX: .*\(line 3, column 27\)\n.*\n {28}\^/);
    expect(stdout).toBe('');
    expect(code).toBe(1);
  });

  test.each([
    ['an unknown source', 'SELECT * FROM NOTHING EMIT CHANGES;', 'ML_NAME_UNKNOWN', /column 15/],
    ['an unknown column', `${CREATE} SELECT NOPE FROM S EMIT CHANGES;`, 'ML_NAME_UNKNOWN', /\^{4}/],
    [
      'a missing topic',
      "CREATE STREAM X (A INT) WITH (KAFKA_TOPIC='missing', VALUE_FORMAT='JSON');",
      'ML_TOPIC',
      /PARTITIONS/,
    ],
    ['a number where a string belongs', `${CREATE} INSERT INTO S VALUES (1, 1);`, 'ML_', /\^/],
    [
      'a missing key of a table',
      `CREATE TABLE T (K STRING PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1); INSERT INTO T (V) VALUES (1);`,
      'ML_',
      /K/,
    ],
    ['a name that is taken', `${CREATE} ${CREATE}`, 'ML_NAME_TAKEN', /\^/],
    ['an unknown function', `${CREATE} SELECT NOSUCH(V) FROM S EMIT CHANGES;`, 'ML_NAME_UNKNOWN', /\^{6}/],
    ['PRINT of a missing topic', "PRINT 'missing';", 'ML_TOPIC', /SHOW TOPICS/],
  ])('%s', async (_what, sql, errorCode, detail) => {
    const { code, stderr } = await millrace(['-e', sql]);
    expect(stderr.startsWith(errorCode), stderr).toBe(true);
    expect(stderr).toMatch(detail);
    expect(code).toBe(1);
  });

  test('a file that is missing', async () => {
    const { code, stderr } = await millrace(['run', join(directory, 'none.sql')]);
    expect(stderr).toMatch(/^cannot read .*none\.sql: there is no such file/);
    expect(code).toBe(1);
  });

  test('the statements before it took effect, those after it did not', async () => {
    const path = file(
      'half.sql',
      `${CREATE}${INSERT}\nSELECT K FROM S EMIT CHANGES LIMIT 2;\nDROP STREAM NOTHING;\nSHOW TOPICS;`,
    );
    const { code, stdout, stderr } = await millrace(['run', path, '--output', 'csv']);
    expect(stdout).toBe('K\na\n"b,"""\n');
    expect(stderr).toMatch(/^ML_NAME_UNKNOWN: /);
    expect(code).toBe(1);
  });

  test('a server that does not answer', async () => {
    const { code, stderr } = await millrace(['--server', 'http://127.0.0.1:1', '-e', 'SHOW STREAMS;']);
    expect(stderr).toMatch(/no server answers at http:\/\/127.0.0.1:1: .*ECONNREFUSED/);
    expect(code).toBe(1);
  });
});

test('a data directory that is a file', async () => {
  const { code, stderr } = await millrace(['--data-dir', file('occupied', ''), '-e', 'SHOW STREAMS;']);
  expect(stderr).toMatch(/^error: the data directory .*occupied cannot be used: it is a file\n$/);
  expect(code).toBe(1);
});

test.runIf(process.platform === 'linux')('a data directory that cannot be made', async () => {
  const { code, stderr } = await millrace(['--data-dir', '/proc/nope/deep', '-e', 'SHOW STREAMS;']);
  expect(stderr).toMatch(/^error: the data directory \/proc\/nope\/deep cannot be used: ENOENT/);
  expect(code).toBe(1);
});

test('a query without end in the middle of a script says what it keeps waiting', async () => {
  const path = file('endless.sql', `${CREATE}${INSERT}\nSELECT K FROM S EMIT CHANGES;\nSHOW STREAMS;\n`);
  const running = new Millrace(['run', path, '--output', 'csv']);
  await running.until(() => running.stdout.includes('b,'), 'the rows came');
  expect(running.stderr).toMatch(/^note: the query of .*endless\.sql, line 2 runs until Ctrl-C;/);
  const { stdout } = await running.kill('SIGINT');
  expect(stdout).toBe('K\na\n"b,"""\n');
});

describe('-e', () => {
  test('a pull query that finds nothing shows its columns; an error is placed in the whole text', async () => {
    const table = `${CREATE}\nCREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;\n`;
    const { code, stdout, stderr } = await millrace([
      '-e',
      `${table}SELECT * FROM T WHERE K = 'x';\nSELECT NOPE FROM T;`,
    ]);
    expect(stdout).toMatch(/\nK        \| N\n---------\+---------\n$/);
    expect(stderr).toMatch(/^ML_NAME_UNKNOWN: .*\(line 4, column 8\)\n {2}SELECT NOPE FROM T;\n/);
    expect(code).toBe(1);
  });

  const query = `${CREATE} ${INSERT} SELECT K, V FROM S EMIT CHANGES LIMIT 2`;

  test('prints a table, and forgives the missing semicolon', async () => {
    const { code, stdout, stderr } = await millrace(['-e', query]);
    expect(stderr).toBe('');
    expect(stdout.trimEnd().split('\n').slice(-4)).toEqual([
      'K        | V',
      '---------+---------',
      'a        | 1',
      'b,"      | null',
    ]);
    expect(code).toBe(0);
  });

  test('prints JSON lines that a program can read', async () => {
    const { stdout, code } = await millrace(['-e', query, '--output', 'json']);
    const lines = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(lines.slice(-2)).toEqual([
      { K: 'a', V: 1 },
      { K: 'b,"', V: null },
    ]);
    expect(code).toBe(0);
  });

  test('prints CSV', async () => {
    const { stdout } = await millrace(['-e', query, '--output', 'csv']);
    expect(stdout.endsWith('K,V\na,1\n"b,""",\n')).toBe(true);
  });

  test('--set holds for its statements', async () => {
    const { stdout } = await millrace([
      '--set',
      'commit.interval.ms=7',
      '--output',
      'csv',
      '-e',
      'SHOW PROPERTIES;',
    ]);
    expect(stdout).toContain('commit.interval.ms,SESSION,7\n');
  });

  test('ends quietly when its reader goes away', () => {
    const { stdout, stderr, status } = spawnSync(
      'bash',
      [
        '-c',
        `set -o pipefail; '${process.execPath}' '${MAIN}' --demo --output csv -e 'SELECT SYMBOL FROM TRADES EMIT CHANGES;' | head -1`,
      ],
      { encoding: 'utf8' },
    );
    expect([stdout, stderr, status]).toEqual(['SYMBOL\n', '', 0]);
  });
});

test('DESCRIBE EXTENDED counts what a query skipped, and a value that fails is not called a skipped record', async () => {
  const { stdout, stderr, code } = await millrace([
    '-e',
    `CREATE FUNCTION TEXT(X INT) RETURNS INT LANGUAGE JAVASCRIPT AS $$ return 'text'; $$;
     ${CREATE} CREATE STREAM D AS SELECT K, TEXT(V) AS V FROM S; INSERT INTO S VALUES ('a', 1);
     SELECT * FROM D EMIT CHANGES LIMIT 1; DESCRIBE D EXTENDED;`,
  ]);
  expect(stderr).toContain('evaluation failed: V: TEXT: a INTEGER was to be returned, not string text');
  expect(stdout).toContain('CSAS_D_0: 1 record, 1 skip or failed evaluation');
  expect(code).toBe(0);
});

test('--help and --version go to standard output and end with 0', async () => {
  const help = await millrace(['--help']);
  expect([help.code, help.stderr]).toEqual([0, '']);
  for (const word of [
    'run',
    'server',
    'test',
    '--kafka',
    '--data-dir',
    '--output',
    '--set',
    '--server',
    '-e',
  ])
    expect(help.stdout).toContain(word);
  const version = await millrace(['--version']);
  expect([version.code, version.stdout]).toEqual([0, '0.1.0\n']);
});

describe('a prompt on a pipe', () => {
  test('runs what it reads, shows no prompt, and ends with 0', async () => {
    const { code, stdout, stderr } = await millrace(
      [],
      `${CREATE}\n${INSERT}\noutput csv\nSELECT K,\n  V\nFROM S\nEMIT CHANGES LIMIT 2;\noutput\n`,
    );
    expect(stderr).toBe('');
    expect(stdout).toContain('K,V\na,1\n"b,""",\ncsv\n');
    expect(stdout).not.toContain('millrace>');
    expect(code).toBe(0);
  });

  test('goes on after a mistake, and ends with 1', async () => {
    const { code, stdout, stderr } = await millrace(
      ['--output', 'csv'],
      'SELEC;\nSELECT A FROM B;\nSHOW VARIABLES;\n',
    );
    expect(stderr).toMatch(/^ML_SYNTAX[\s\S]*ML_NAME_UNKNOWN/);
    expect(stdout).toBe('Variable,Value\n');
    expect(code).toBe(1);
  });

  test('many statements on a line, a semicolon in a string, a comment over lines, none at the end', async () => {
    const { code, stdout } = await millrace(
      ['--output', 'csv'],
      "DEFINE a = 'x;y'; /* one;\ntwo; */ SHOW VARIABLES; -- end;\nSHOW VARIABLES",
    );
    expect(stdout).toBe('Variable,Value\nA,x;y\nVariable,Value\nA,x;y\n');
    expect(code).toBe(0);
  });

  test('run script, spool, help, version, exit', async () => {
    const script = file('three.sql', `${CREATE}\n${INSERT}\nSELECT K FROM S EMIT CHANGES LIMIT 1;`);
    const spool = join(directory, 'spool.txt');
    const input = `help\nversion\nspool '${spool}'\noutput csv\nrun script '${script}'\nNONSENSE;\nspool off\nSHOW VARIABLES;\nexit\nSHOW STREAMS;\n`;
    const { stdout, stderr } = await millrace([], input);
    expect(stdout).toContain('Statements end with a semicolon');
    expect(stdout).toContain('\n0.1.0\n');
    expect(stdout.endsWith('K\na\nVariable,Value\n')).toBe(true);
    const spooled = readFileSync(spool, 'utf8');
    expect(spooled).toContain('K\na\n');
    expect(spooled).toContain(stderr);
    expect(stderr).toMatch(/^ML_SYNTAX/);
    expect(spooled).not.toContain('Variable,Value');
  });

  test('run script stops at its first mistake; a file that is missing is named', async () => {
    const script = file('stops.sql', 'DROP STREAM NOTHING;\nSHOW VARIABLES;');
    const { code, stdout, stderr } = await millrace(
      [],
      `run script '${script}'\nrun script '${directory}/none'\n`,
    );
    expect(stdout).toBe('');
    expect(stderr).toMatch(/ML_NAME_UNKNOWN[\s\S]*cannot read .*none/);
    expect(code).toBe(1);
  });
});

test('the demo stream gives rows at once', async () => {
  const { code, stdout, stderr } = await millrace(['--demo'], 'SELECT * FROM TRADES EMIT CHANGES LIMIT 3;\n');
  expect(stderr).toBe('');
  const lines = stdout.trimEnd().split('\n');
  expect(lines[0]).toMatch(/^SYMBOL +\| SIDE +\| PRICE +\| SHARES$/);
  expect(lines).toHaveLength(5);
  for (const line of lines.slice(2)) expect(line).toMatch(/^[A-Z]+ +\| (BUY|SELL) +\| [\d.]+ +\| \d+$/);
  expect(code).toBe(0);
});

describe('a signal', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)(
    '%s ends -e, run --stay, server and the prompt with 0',
    async (signal) => {
      const script = file(
        'stay.sql',
        `${CREATE} CREATE TABLE T AS SELECT K, COUNT(*) AS N FROM S GROUP BY K; SHOW QUERIES;`,
      );
      for (const [args, sign] of [
        [['--demo', '-e', 'SELECT * FROM TRADES EMIT CHANGES;'], '|'],
        [['run', '--stay', script], 'CTAS_T'],
        [['server', '--port', '0'], 'listens'],
      ] as const) {
        const running = new Millrace(args);
        await running.until(() => running.stdout.includes(sign), `${args.join(' ')} has begun`);
        const { code, stderr } = await running.kill(signal);
        expect([args, code, stderr]).toEqual([args, 0, '']);
      }
      const prompt = new Millrace(['--demo']);
      prompt.write('SELECT * FROM TRADES EMIT CHANGES;\nSHOW STREAMS;\n');
      await prompt.until(() => prompt.stdout.includes('|'), 'rows come');
      const { code, stdout } = await prompt.kill(signal);
      expect(code).toBe(0);
      expect(stdout, 'nothing more is read').not.toContain('KSQL_PROCESSING_LOG');
    },
  );
});

describe('--set', () => {
  test('is the session’s, which may unset it; what is for the start only stays', async () => {
    const sql = "SHOW PROPERTIES; UNSET 'commit.interval.ms'; UNSET 'ksql.udfs.enabled'; SHOW PROPERTIES;";
    const args = ['--set', 'commit.interval.ms=250', '--set', 'ksql.udfs.enabled=false', '--output', 'csv'];
    const { stdout, code } = await millrace(['-e', sql, ...args]);
    expect(code).toBe(0);
    expect(stdout.match(/^commit\.interval\.ms,.*$/gm)).toEqual([
      'commit.interval.ms,SESSION,250',
      'commit.interval.ms,DEFAULT,100',
    ]);
    expect(stdout.match(/^ksql\.udfs\.enabled,.*$/gm)?.at(-1)).toBe('ksql.udfs.enabled,SYSTEM,false');
    const create = "CREATE FUNCTION F() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1;';";
    const refused = await millrace(['-e', `UNSET 'ksql.udfs.enabled'; ${create}`, ...args]);
    expect(refused.stderr).toMatch(/^ML_UNSUPPORTED: CREATE FUNCTION is switched off here/);
    expect(refused.code).toBe(1);
  });
});
