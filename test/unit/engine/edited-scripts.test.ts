import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SqlError } from '../../../src/common/error.ts';
import type { Logger } from '../../../src/common/logger.ts';
import type { Engine, EngineOptions } from '../../../src/engine/engine.ts';
import type { KeptQuery } from '../../../src/engine/kept-queries.ts';
import { defaultRules } from '../../../src/sql/optimizer/default-rules.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';
import { runScript } from '../../harness/run-script.ts';

/** A script that is run again, as it was or edited, over what its earlier runs have left. */

const SOURCE =
  "CREATE STREAM S (ID INT KEY, METHOD STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);";
const BY_METHOD = 'CREATE TABLE BYM AS SELECT METHOD, COUNT(*) AS N FROM S GROUP BY METHOD;';
const FRESH = { fresh: true };

let directory: string;
let engine: Engine;
const warnings: unknown[] = [];
const logger: Logger = {
  ...(await import('../../../src/common/logger.ts')).silentLogger,
  warn: (fields, message) => void warnings.push([fields, message]),
};

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'millrace-scripts-'));
  warnings.length = 0;
});
afterEach(async () => {
  await engine.close();
  rmSync(directory, { recursive: true });
});

/** `headless`: the script says at each start what runs; else its statements are in the command log. */
async function start(headless: boolean, options: Partial<EngineOptions> = {}): Promise<void> {
  engine = await openEngine(directory, {
    stateDirectory: join(directory, 'state'),
    commandLog: !headless,
    keepQueries: headless,
    logger,
    ...options,
  });
}

/** Another start, at which the script is what `sql` says. */
async function again(headless: boolean, sql: string, options: Partial<EngineOptions> = {}): Promise<void> {
  await engine.close();
  await start(headless, options);
  await runScript(engine, sql, { fresh: options.fresh === true });
}

async function insert(count: number, method = 'GET', id = 7): Promise<void> {
  const writer = await engine.log.openWriter();
  const key = Buffer.alloc(4);
  key.writeInt32BE(id);
  for (let i = 0; i < count; i++)
    appendRecord(writer, { topic: 's', partition: 0 }, { key, value: JSON.stringify({ METHOD: method }) });
  await writer.flush();
  await writer.close();
}

/** What is kept of BYM. */
async function put(kept: unknown): Promise<void> {
  const writer = await engine.log.openWriter();
  const record = { key: 'sink BYM', value: JSON.stringify(kept) };
  appendRecord(writer, { topic: '_millrace_test_queries', partition: 0 }, record);
  await writer.flush();
  await writer.close();
}

function withPlans(kept: KeptQuery, plans: unknown): KeptQuery {
  return { ...kept, query: { ...kept.query, plans } };
}

async function rows(sql: string): Promise<readonly unknown[]> {
  await engine.drain();
  return (await execute(engine, sql)).rows;
}

async function written(topic: string): Promise<number> {
  return (await engine.log.admin.offsets(topic)).reduce((sum, { end }) => sum + end, 0);
}

async function refusal(run: Promise<unknown>): Promise<{ message: string; hint: string | undefined }> {
  const error = await run.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SqlError)) throw new Error(`no SqlError: ${String(error)}`);
  return { message: error.message, hint: error.hint };
}

describe.each([
  ['says at each start what runs', true],
  ['is kept in the command log', false],
])('a script that %s', (_, headless) => {
  beforeEach(async () => {
    await start(headless);
    await runScript(engine, SOURCE + BY_METHOD);
    await insert(2);
    await engine.drain();
  });

  test('goes on, whatever its text looks like', async () => {
    const ids = [...engine.queries.keys()];
    await again(
      headless,
      `-- counts\n${SOURCE}\n create table BYM as select S.METHOD, count( * ) as N
      from S group by S.METHOD emit changes;`,
    );
    await insert(1);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 3]]);
    expect([...engine.queries.keys()]).toEqual(ids);
    expect(await written('BYM')).toBe(3);
  });

  test.each([
    [
      'SUM(ID)',
      'BYM has been made by another query, whose state this one must not take over by mistake; it had: ',
    ],
    ['COUNT(*) AS M, SUM(ID)', 'BYM has been made by another query'],
  ])('does not go on with the count when it is edited to %s', async (edited, message) => {
    const found = await refusal(again(headless, SOURCE + BY_METHOD.replace('COUNT(*)', edited)));
    expect(found.message).toContain(message);
    expect(found.hint).toContain('start with --fresh');
    // Nothing was done to what was there.
    await again(headless, SOURCE + BY_METHOD);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 2]]);
  });

  test('a type of its source that is edited is another meaning', async () => {
    const found = await refusal(again(headless, SOURCE.replace('ID INT', 'ID BIGINT') + BY_METHOD));
    expect(found.message).toMatch(/BYM has been made by another query|S has been declared otherwise/);
    expect(found.hint).toContain('--fresh');
  });

  test('OR REPLACE goes on where the state may, and says where it may not', async () => {
    const replace = BY_METHOD.replace('CREATE', 'CREATE OR REPLACE');
    const filtered = replace.replace('GROUP', 'WHERE ID > 7 GROUP');
    const hint = (await refusal(again(headless, SOURCE + filtered.replace('OR REPLACE ', '')))).hint;
    expect(hint).toContain('write CREATE OR REPLACE TABLE to go on with the state');
    await again(headless, SOURCE + filtered);
    await insert(1);
    await insert(1, 'GET', 8);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 3]]);
    // At the next start it is what is there.
    await again(headless, SOURCE + filtered);
    await insert(1, 'GET', 8);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 4]]);
    const sum = await refusal(again(headless, SOURCE + replace.replace('COUNT(*)', 'SUM(ID)')));
    expect(sum.message).toContain('cannot be replaced');
  });

  test('both steps of an evolution may stand in the script', async () => {
    const evolution =
      SOURCE +
      BY_METHOD +
      BY_METHOD.replace('CREATE', 'CREATE OR REPLACE').replace('GROUP', 'WHERE ID > 7 GROUP');
    for (let i = 0; i < 3; i++) {
      await again(headless, evolution);
      await insert(1);
      await insert(1, 'GET', 8);
      expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 3 + i]]);
    }
  });

  test('columns that its ALTERs add are no other declaration, and may become more', async () => {
    const alter = (column: string): string => `ALTER STREAM S ADD COLUMN ${column};`;
    const all = "CREATE STREAM A WITH (KAFKA_TOPIC='a') AS SELECT * FROM S;";
    const script = SOURCE + BY_METHOD + alter('B INT') + all;
    for (const edited of [script, script, script + alter('C INT'), script + alter('C INT')]) {
      await again(headless, edited);
      expect(await rows('SELECT METHOD, N FROM BYM;')).toEqual([['GET', 2]]);
      expect(await written('a')).toBe(2);
    }
    expect(engine.catalog.get('S')!.schema.value.map(({ name }) => name)).toEqual(['METHOD', 'B', 'C']);
    await expect(again(headless, SOURCE + BY_METHOD + alter('B STRING') + all)).rejects.toThrow(
      /declared otherwise|made by another query/,
    );
  });

  test.each([
    ['columns', BY_METHOD.replace('COUNT(*)', 'CAST(COUNT(*) AS STRING)')],
    ['topic', BY_METHOD.replace('BYM AS', "BYM WITH (KAFKA_TOPIC='other') AS")],
  ])('OR REPLACE is no way out where %s would change', async (what, edited) => {
    expect((await refusal(again(headless, SOURCE + edited))).hint).toBe(
      `its ${what} would change: start with --fresh to begin anew with all queries of the script, or give it another name`,
    );
  });

  test('--fresh begins anew, and keeps what is in the output', async () => {
    const edited = SOURCE + BY_METHOD.replace('COUNT(*)', 'SUM(ID)');
    await again(headless, edited.replace('SUM(ID)', 'CAST(SUM(ID) AS BIGINT)'), FRESH);
    await insert(2);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 28]]);
    expect(await written('BYM')).toBe(6);
    await again(headless, edited.replace('SUM(ID)', 'CAST(SUM(ID) AS BIGINT)'));
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 28]]);
    expect(await written('BYM')).toBe(6);
  });

  test('INSERT INTO is known by its sink and its place, or by its QUERY_ID', async () => {
    const out =
      SOURCE +
      "CREATE STREAM OUT (ID INT KEY, METHOD STRING) WITH (KAFKA_TOPIC='out', VALUE_FORMAT='JSON', PARTITIONS=1);";
    const all = 'INSERT INTO OUT SELECT * FROM S;';
    const named = "INSERT INTO OUT WITH (QUERY_ID='SEVEN') SELECT * FROM S WHERE ID = 7;";
    await again(headless, out + all + named);
    await again(headless, out + named + all);
    expect(await written('out')).toBe(4);
    await insert(1);
    await engine.drain();
    expect(await written('out')).toBe(6);
    const found = await refusal(again(headless, out + named + all.replace(';', ' WHERE ID = 8;')));
    expect(found.message).toContain('query INSERTQUERY_');
    expect(found.hint).toContain('give this one a QUERY_ID of its own');
  });

  test('another body of a function is another meaning, the same one is not', async () => {
    const fn = (body: string): string =>
      `CREATE OR REPLACE FUNCTION TWICE(x STRING) RETURNS STRING LANGUAGE JAVASCRIPT AS $$ return ${body}; $$;`;
    const query = 'CREATE STREAM T AS SELECT ID, TWICE(METHOD) AS M FROM S;';
    await again(headless, SOURCE + fn('x + x') + query);
    await again(headless, SOURCE + fn('x + x') + query);
    const found = await refusal(again(headless, SOURCE + fn('x') + query));
    expect(found.message).toContain('T has been made by another query');
    expect(found.message).toContain('a function that it calls, or a setting of one, has changed');
  });

  test('rows that are inserted by the script are inserted at each run that begins', async () => {
    const sql = SOURCE + BY_METHOD + "INSERT INTO S (ID, METHOD) VALUES (1, 'PUT');";
    await again(headless, sql);
    await again(headless, sql);
    expect(await rows("SELECT * FROM BYM WHERE METHOD = 'PUT';")).toEqual([['PUT', 2]]);
  });
});

describe('a script that says at each start what runs', () => {
  test('a statement above renames nothing; one that is gone is told', async () => {
    await start(true);
    await runScript(engine, SOURCE + BY_METHOD);
    await insert(2);
    await engine.drain();
    await again(true, `${SOURCE} CREATE STREAM FIRST AS SELECT * FROM S; ${BY_METHOD}`);
    await insert(1);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 3]]);
    expect(await written('BYM')).toBe(3);
    expect([...engine.queries.keys()]).toEqual(['CSAS_FIRST_1', 'CTAS_BYM_0']);
    expect(warnings).toEqual([]);
    await again(true, SOURCE + BY_METHOD);
    expect(warnings).toEqual([
      [{ queries: ['CSAS_FIRST_1'] }, expect.stringContaining('the script no longer has these queries')],
    ]);
  });

  test('--fresh says which queries it forgets that the script does not have', async () => {
    await start(true);
    await runScript(engine, SOURCE + BY_METHOD + 'CREATE STREAM OTHER AS SELECT * FROM S;');
    await again(true, SOURCE + BY_METHOD, FRESH);
    expect(warnings).toEqual([
      [
        { queries: ['CSAS_OTHER_1'], serviceId: engine.serviceId },
        'these queries of the service are forgotten too, and the script does not have them: a script of its own needs a --service-id of its own',
      ],
    ]);
  });

  test('what was dropped within the script is made anew', async () => {
    const sql = `${SOURCE}${BY_METHOD} DROP TABLE BYM; ${BY_METHOD.replace('COUNT(*)', 'SUM(ID)')}`;
    await start(true);
    await runScript(engine, sql);
    await insert(2);
    await engine.drain();
    await again(true, sql);
    await insert(1);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 21]]);
  });

  test('neither the optimizer nor more rules change what runs', async () => {
    const sql = `${SOURCE}${BY_METHOD}CREATE STREAM R AS SELECT * FROM S WHERE ID > 1 PARTITION BY METHOD;`;
    await start(true);
    await runScript(engine, sql);
    await insert(2);
    await engine.drain();
    for (const options of [
      { properties: new Map([['ksql.optimizer.enabled', 'false']]) },
      { rules: defaultRules.slice(0, 3) },
    ]) {
      await again(true, sql, options);
      await insert(1);
    }
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 4]]);
    expect(await written('BYM')).toBe(4);
    expect(await written('R')).toBe(4);
  });

  test('state of which nobody knows what made it is not taken over', async () => {
    await start(true, { keepQueries: false });
    await runScript(engine, SOURCE + BY_METHOD);
    await insert(2);
    await engine.drain();
    const found = await refusal(again(true, SOURCE + BY_METHOD));
    expect(found.message).toContain('there is state of a query CTAS_BYM_0, and nothing says what it was');
    await again(true, SOURCE + BY_METHOD, FRESH);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 2]]);
  });

  test.each<[string, (kept: KeptQuery) => unknown, string]>([
    ['no query', () => 'text', 'the record is no query'],
    ['without properties', (kept) => ({ ...kept, properties: null }), 'the record is no query'],
    ['of other properties', (kept) => ({ ...kept, properties: { a: 1 } }), 'the record is no query'],
    ['of a later release', (kept) => ({ ...kept, version: 2 }), 'written by another release (version 2)'],
    ['damaged where it is deflated', (kept) => withPlans(kept, 'nothing'), 'CTAS_BYM_0 cannot go on'],
    [
      'a plan with a column that is none',
      (kept) =>
        withPlans(
          kept,
          JSON.parse(JSON.stringify(kept.query.plans).replaceAll('"keyPositions":[0]', '"keyPositions":[9]')),
        ),
      'CTAS_BYM_0 cannot go on',
    ],
    [
      'made of a statement that is none',
      (kept) => ({ ...kept, statement: 'MAKE', query: { ...kept.query, release: '0', fingerprint: '' } }),
      'BYM has been made by another query',
    ],
  ])('what was kept and is %s is told', async (_, damage, message) => {
    await start(true);
    await runScript(engine, SOURCE + BY_METHOD);
    await put(damage(engine.kept!.all()[0]!));
    expect((await refusal(again(true, SOURCE + BY_METHOD))).message).toContain(message);
    await again(true, SOURCE + BY_METHOD, FRESH);
    await insert(1);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 1]]);
  });

  test('another release that plans the same text otherwise goes on with it', async () => {
    await start(true, { version: '1' });
    await runScript(engine, SOURCE + BY_METHOD);
    await insert(2);
    await engine.drain();
    const [kept] = engine.kept!.all();
    await put({ ...kept, query: { ...kept!.query, fingerprint: 'of another release' } });
    expect((await refusal(again(true, SOURCE + BY_METHOD, { version: '1' }))).message).toContain(
      'another query',
    );
    await again(true, SOURCE + BY_METHOD, { version: '2' });
    await insert(1);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['GET', 3]]);
    const edited = SOURCE.replace('ID INT', 'ID BIGINT') + BY_METHOD;
    expect((await refusal(again(true, edited, { version: '2' }))).message).toContain('another query');
  });
});

describe('a script that was stopped', () => {
  const INSERTS = [1, 2, 3].map((id) => `INSERT INTO S (ID, METHOD) VALUES (${id}, 'PUT');`).join('\n');

  test('goes on behind what is done, also when what comes after it was edited', async () => {
    await start(false);
    await runScript(engine, SOURCE + BY_METHOD + INSERTS, { stopAfter: 4 });
    await again(false, SOURCE + BY_METHOD + INSERTS.replace('(3', '(4') + INSERTS);
    expect(await rows('SELECT * FROM BYM;')).toEqual([['PUT', 6]]);
  });

  test('goes on before an ALTER that an earlier run has done', async () => {
    const script = `${SOURCE}INSERT INTO S VALUES (1, 'GET');ALTER STREAM S ADD COLUMN B INT;
      INSERT INTO S VALUES (2, 'GET', 3);`;
    await start(false);
    await runScript(engine, script);
    await runScript(engine, script, { stopAfter: 2 });
    await again(false, script);
    expect(await written('s')).toBe(4);
  });

  test('does not guess when what is done was edited', async () => {
    await start(false);
    await runScript(engine, SOURCE + BY_METHOD + INSERTS, { stopAfter: 4 });
    const edited = SOURCE + BY_METHOD + INSERTS.replace('(2', '(4');
    expect(await refusal(again(false, edited))).toEqual({
      message:
        'the script was stopped after 4 of its statements, and those have been changed since: which of its INSERTs are done cannot be told',
      hint: 'write them as they were (what comes after them may be edited), or start with --fresh to begin anew',
    });
    await again(false, edited, FRESH);
    // Topics are not emptied.
    expect(await rows('SELECT * FROM BYM;')).toEqual([['PUT', 5]]);
  });

  test('begins again where nothing was inserted yet, or behind what was', async () => {
    const [first, ...more] = INSERTS.split('\n');
    const [a, b] = ['A', 'B'].map((name) => `CREATE STREAM ${name} AS SELECT * FROM S;`);
    await start(false);
    await runScript(engine, SOURCE + BY_METHOD + INSERTS, { stopAfter: 2 });
    await engine.close();
    await start(false);
    await runScript(engine, SOURCE + a! + first! + BY_METHOD + more.join(''), { stopAfter: 4 });
    await again(false, SOURCE + a! + first! + b! + BY_METHOD + more.join(''));
    expect(await rows('SELECT * FROM BYM;')).toEqual([['PUT', 3]]);
    expect(await written('A')).toBe(3);
    expect(await written('B')).toBe(3);
  });

  test('does not begin anew under the feet of what others have made', async () => {
    await start(false);
    await runScript(engine, SOURCE + BY_METHOD);
    await execute(engine, 'CREATE STREAM OTHER AS SELECT * FROM S;');
    expect(await refusal(again(false, SOURCE + BY_METHOD, FRESH))).toEqual({
      message: 'the script cannot begin anew: S is used by CSAS_OTHER_1',
      hint: 'terminate those queries, or drop what they write, first',
    });
  });
});
