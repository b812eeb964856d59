import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { inSource, ScriptError, scriptStatements } from '../../../src/engine/statements/script-statements.ts';
import { renderSqlError, SqlError } from '../../../src/common/error.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-scripts-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, text: string): string {
  const file = join(directory, name);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

function errorOf(text: string, file: string | null = null): string {
  try {
    scriptStatements(text, file, new Map());
  } catch (error) {
    expect(error).toBeInstanceOf(ScriptError);
    return (error as Error).message;
  }
  return 'accepted';
}

test('RUN SCRIPT stands for the statements of the file, which lies beside the one that names it', () => {
  const outer = "SHOW STREAMS; RUN SCRIPT 'in/b.sql'; SHOW TABLES;";
  const file = write('a.sql', outer);
  write('in/b.sql', "SHOW TOPICS;\nRUN SCRIPT 'c.sql';");
  const inner = write('in/c.sql', '\n\nSHOW QUERIES;');
  const statements = scriptStatements(outer, file, new Map());
  expect(statements.map((each) => each.text)).toEqual([
    'SHOW STREAMS;',
    'SHOW TOPICS;',
    'SHOW QUERIES;',
    'SHOW TABLES;',
  ]);
  expect(statements[2]).toMatchObject({ file: inner, source: '\n\nSHOW QUERIES;', start: 2 });
});

test('variables go into a script and come out of it', () => {
  const file = write('b.sql', "DEFINE inside = 'I'; DESCRIBE ${outside}; UNDEFINE gone;");
  const text = `DEFINE outside = 'O'; RUN SCRIPT '${file}'; DESCRIBE \${inside};`;
  const statements = scriptStatements(text, null, new Map([['GONE', 'x']]));
  expect(statements.map((each) => each.resolvedText)).toContain('DESCRIBE O;');
  expect(statements.at(-1)?.resolvedText).toBe('DESCRIBE I;');
  expect(
    errorOf(`DEFINE gone = 'x'; RUN SCRIPT '${write('u.sql', 'UNDEFINE gone;')}'; DESCRIBE \${gone};`),
  ).toContain('variable gone is not defined');
});

test('a mistake is named with the file that it is in, and its place there', () => {
  const file = write('b.sql', 'SHOW TOPICS;\n\n  SHOW NOTHING;');
  expect(errorOf(`SHOW STREAMS;\nRUN SCRIPT '${file}';`)).toMatch(
    new RegExp(`^${file}: ML_SYNTAX: .*\\(line 3, column 8\\)\\n {4}SHOW NOTHING;`),
  );
});

test('an error of a statement is moved to where the statement stands in its file', () => {
  const file = write('b.sql', 'SHOW TOPICS;\n\n  DESCRIBE X;');
  const statement = scriptStatements(`RUN SCRIPT '${file}';`, null, new Map())[1]!;
  const error = new SqlError('ML_NAME_UNKNOWN', 'no X', { span: { start: 9, end: 10 } });
  expect(renderSqlError(inSource(error, statement.start), statement.source, statement.file)).toBe(
    `ML_NAME_UNKNOWN: no X (line 3, column 12 of ${file})\n    DESCRIBE X;\n             ^`,
  );
});

test('a script that runs itself, one that is missing and an endless chain are errors at the path', () => {
  const self = write('self.sql', "RUN SCRIPT 'other.sql';");
  write('other.sql', "RUN SCRIPT 'self.sql';");
  expect(errorOf(`RUN SCRIPT '${self}';`)).toContain(
    'ML_LIMIT: script self.sql runs itself (line 1, column 12)',
  );
  expect(errorOf("RUN SCRIPT 'none.sql';", self)).toContain(
    'ML_DATA: script none.sql cannot be read: there is no such file',
  );
  for (let i = 0; i < 40; i++) write(`chain${i}.sql`, `RUN SCRIPT 'chain${i + 1}.sql';`);
  expect(errorOf("RUN SCRIPT 'chain0.sql';", self)).toContain('scripts run scripts 32 deep');
});
