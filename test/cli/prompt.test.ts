import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Millrace, terminalMissing } from '../harness/millrace.ts';

/** The prompt in a terminal. */

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
const UP = '\u001b[A';
const TAB = '\t';

let home: string;
let running: Millrace;
let prompts: number;
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'millrace-home-'));
});
afterEach(async () => {
  await running.kill();
  rmSync(home, { recursive: true, force: true, maxRetries: 3 });
});

function open(...args: string[]): void {
  prompts = 0;
  running = new Millrace(args, { terminal: true, env: { HOME: home, TERM: 'xterm', COLUMNS: '200' } });
}

const screen = (): string => stripVTControlCharacters(running.stdout).replaceAll('\r', '');
const count = (text: string): number => screen().split(text).length - 1;

/** Waits until `text` is on the screen `times` times. */
const shows = (text: string, times = 1): Promise<void> =>
  running.until(() => count(text) >= times, `${JSON.stringify(text)} (${times}) is on the screen`);

/** Waits for a prompt that was not there when it last returned. */
async function prompted(): Promise<void> {
  await running.until(() => count('millrace> ') > prompts && screen().endsWith('millrace> '), 'a new prompt');
  prompts = count('millrace> ');
}

const missing = terminalMissing();
describe.skipIf(missing !== null)(
  missing === null ? 'in a terminal' : `in a terminal (skipped: ${missing})`,
  () => {
    test('greets, runs a statement over several lines, shows a mistake, and leaves with Ctrl-D', async () => {
      open('--output', 'csv');
      await prompted();
      expect(screen()).toMatch(/^Millrace 0\.1\.0 on the embedded log/);
      running.write('SHOW\r');
      await shows('       -> ');
      running.write('VARIABLES;\r');
      await shows('Variable,Value\n');
      await prompted();
      running.write('SELEC 1;\r');
      await shows('ML_SYNTAX');
      await shows('^^^^^');
      await prompted();
      running.write(CTRL_D);
      expect((await running.finished).code).toBe(0);
    });

    test('Ctrl-C ends a query that prints, and not the prompt', async () => {
      open('--demo', '--output', 'csv');
      await prompted();
      for (const word of ['one', 'two']) {
        running.write(`SELECT '${word}', SYMBOL FROM TRADES EMIT CHANGES;\r`);
        await shows(`\n${word},`, 3);
        running.write(CTRL_C);
        await prompted();
      }
      running.write('SHOW VARIABLES;\r');
      await shows('Variable,Value\n');
      await prompted();
      running.write('exit\r');
      expect((await running.finished).code).toBe(0);
    });

    test('Ctrl-C right after Enter ends the query too', async () => {
      open('--demo', '--output', 'csv');
      await prompted();
      running.write(`SELECT SYMBOL FROM TRADES EMIT CHANGES;\r${CTRL_C}`);
      await prompted();
      running.write('SHOW VARIABLES;\r');
      await shows('Variable,Value\n');
    });

    test('Ctrl-C forgets an unfinished statement', async () => {
      open('--output', 'csv');
      await prompted();
      running.write('SELECT nonsense\r');
      await shows('       -> ');
      running.write(CTRL_C);
      await prompted();
      running.write('SHOW VARIABLES;\r');
      await shows('Variable,Value\n');
      expect(screen()).not.toContain('ML_');
    });

    test('an unfinished statement is not run when Ctrl-D leaves', async () => {
      open();
      await prompted();
      running.write('SHOW STREAMS\r');
      await shows('       -> ');
      running.write(CTRL_D);
      expect((await running.finished).code).toBe(0);
      expect(screen()).not.toContain('KSQL_PROCESSING_LOG');
    });

    test('Ctrl-D leaves while a query prints', async () => {
      open('--demo', '--output', 'csv');
      await prompted();
      running.write("SELECT 'row', SYMBOL FROM TRADES EMIT CHANGES;\r");
      await shows('\nrow,', 3);
      running.write(CTRL_D);
      expect((await running.finished).code).toBe(0);
    });

    test('what was typed before the first prompt is read', async () => {
      open('--output', 'csv');
      running.write('SHOW VARIABLES;\r');
      await shows('Variable,Value\n');
    });

    test('history is kept from one session to the next, for the arrow and the command', async () => {
      open('--output', 'csv');
      await prompted();
      running.write("DEFINE a =\r'first';\r");
      await prompted();
      running.write(CTRL_D);
      await running.finished;
      expect(readFileSync(join(home, '.millrace-history'), 'utf8')).toBe("DEFINE a = 'first';\n");
      open('--output', 'csv');
      await prompted();
      running.write('history\r');
      await shows("1  DEFINE a = 'first';\n");
      await prompted();
      running.write(`${UP}${UP}\r`);
      await prompted();
      running.write('SHOW VARIABLES;\r');
      await shows('A,first\n');
    });

    test('Tab completes names of streams and keywords', async () => {
      open('--demo', '--output', 'csv');
      await prompted();
      running.write(`SELECT COUNT(*) FROM KSQL_PR${TAB}`);
      await shows('FROM KSQL_PROCESSING_LOG ');
      running.write(`EMI${TAB}`);
      await shows('KSQL_PROCESSING_LOG EMIT ');
    });

    test('output changes the format, run script runs a file, spool keeps what is shown', async () => {
      const script = join(home, 'script.sql');
      writeFileSync(script, "DEFINE a = 'x';\nSHOW VARIABLES;\n");
      open();
      await prompted();
      running.write(`output json\rspool '${home}/spool'\rrun script '${script}'\r`);
      await shows('"variables":[{"name":"A","value":"x"}]');
      await prompted();
      running.write('exit\r');
      await running.finished;
      const spooled = readFileSync(`${home}/spool`, 'utf8');
      expect(spooled).toContain(`millrace> run script '${script}'\n`);
      expect(spooled).toContain('{"@type":"variables","variables":[{"name":"A","value":"x"}]}\n');
    });

    test('a termination signal ends it, and its work is kept', async () => {
      open('--data-dir', join(home, 'data'));
      await prompted();
      running.write("CREATE STREAM S (V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);\r");
      await prompted();
      running.write('SHOW STREAMS;\r');
      await shows('KSQL_PROCESSING_LOG');
      running.write(CTRL_D);
      await running.finished;
      open('--data-dir', join(home, 'data'));
      await prompted();
      running.write('DESCRIBE S;\r');
      await shows('STREAM S over topic s');
    });
  },
);
