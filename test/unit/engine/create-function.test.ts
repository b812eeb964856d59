import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nextTurn } from '../../../src/common/clock.ts';
import type { Engine } from '../../../src/engine/engine.ts';
import { appendRecord } from '../../harness/append-record.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

const SOURCE = `CREATE STREAM S (K INT KEY, N BIGINT, T STRING) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
  INSERT INTO S VALUES (1, 5, 'a b');
  INSERT INTO S VALUES (2, 7, NULL);`;

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine();
  await execute(engine, SOURCE);
  await execute(
    engine,
    `CREATE STREAM MANY (N BIGINT) WITH (KAFKA_TOPIC='many', VALUE_FORMAT='JSON', PARTITIONS=1);
     ${Array.from({ length: 20 }, (_, i) => `INSERT INTO MANY VALUES (${i});`).join('')}`,
  );
});
afterAll(() => engine.close());

/** What a new scalar function with this body gives for the first row's `N`, `T`. */
async function valueOf(body: string, returns = 'STRING', language = 'JAVASCRIPT'): Promise<unknown> {
  await execute(
    engine,
    `CREATE OR REPLACE FUNCTION probe(n BIGINT, t STRING) RETURNS ${returns} LANGUAGE ${language} AS $$${body}$$;`,
  );
  return (await execute(engine, 'SELECT PROBE(N, T) AS X FROM S EMIT CHANGES LIMIT 1;')).rows[0]![0];
}

/** How long turns of the event loop take while `work` is done. */
async function turnsDuring(work: Promise<unknown>): Promise<{ longestMs: number; totalMs: number }> {
  let working = true;
  const end = (): void => {
    working = false;
  };
  work.then(end, end);
  const begun = performance.now();
  let longestMs = 0;
  for (let before = begun; working;) {
    await nextTurn();
    const now = performance.now();
    longestMs = Math.max(longestMs, now - before);
    before = now;
  }
  return { longestMs, totalMs: performance.now() - begun };
}

describe('what a function is given and gives', () => {
  test('names of parameters keep their case; values cross in all types', async () => {
    expect(await valueOf('return `${t}-${n}`;')).toBe('a b-5');
    expect(await valueOf('return 9223372036854775807n;', 'BIGINT')).toBe(9223372036854775807n);
    expect(await valueOf('return -0;', 'DOUBLE')).toBe(-0);
    expect(await valueOf('return NaN;', 'DOUBLE')).toBeNaN();
    expect(await valueOf("return ['x', null, undefined];", 'ARRAY<STRING>')).toEqual(['x', null, null]);
    expect(await valueOf("return new Map([['a', 1]]);", 'MAP<STRING, INT>')).toEqual(new Map([['a', 1]]));
    expect(await valueOf('return { a: 1 };', 'MAP<STRING, INT>')).toEqual(new Map([['a', 1]]));
    expect(await valueOf("return { A: 1, b: 'x' };", 'STRUCT<A INT, `b` STRING>')).toEqual([1, 'x']);
    // Fields that are called like words of the language.
    expect(await valueOf("return { FROM: 1, END: 'x' };", 'STRUCT<`FROM` INT, `END` STRING>')).toEqual([
      1,
      'x',
    ]);
    expect(await valueOf('return new Uint8Array([1, 255]);', 'BYTES')).toEqual(new Uint8Array([1, 255]));
    expect(String(await valueOf("return '1.50';", 'DECIMAL(4, 2)'))).toBe('1.50');
    expect(await valueOf("const x: number = n as number; return 'n' + x;", 'STRING', 'TYPESCRIPT')).toBe(
      'n5',
    );
  });

  test('every call is given its own answer, however many there are', async () => {
    const rows = 20_000;
    await execute(
      engine,
      `CREATE FUNCTION echo(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'return n;';
       CREATE STREAM LOTS (N BIGINT) WITH (KAFKA_TOPIC='lots', VALUE_FORMAT='JSON', PARTITIONS=1);`,
    );
    const writer = await engine.log.openWriter();
    for (let n = 0; n < rows; n++)
      appendRecord(writer, { topic: 'lots', partition: 0 }, { value: JSON.stringify({ N: n }) });
    await writer.flush();
    await writer.close();
    const result = await execute(engine, `SELECT ECHO(N) FROM LOTS EMIT CHANGES LIMIT ${rows};`);
    expect(result.rows).toEqual(Array.from({ length: rows }, (_, n) => [n]));
  }, 30_000);

  test('STRICT is not called for null; without it the code sees null', async () => {
    const sql = (name: string, strict: string) =>
      `CREATE FUNCTION ${name}(t STRING) RETURNS STRING LANGUAGE JAVASCRIPT ${strict} AS 'return String(t);';`;
    await execute(engine, `${sql('STRICT_ONE', 'STRICT')} ${sql('LOOSE_ONE', '')}`);
    const { rows } = await execute(engine, 'SELECT STRICT_ONE(T), LOOSE_ONE(T) FROM S EMIT CHANGES LIMIT 2;');
    expect(rows).toEqual([
      ['a b', 'a b'],
      [null, 'null'],
    ]);
  });

  test('a table function yields rows, or returns a list of them', async () => {
    await execute(
      engine,
      `CREATE FUNCTION words(t STRING) RETURNS TABLE (word STRING) LANGUAGE JAVASCRIPT AS $$ for (const w of t.split(' ')) yield w; return ['end']; $$;
       CREATE FUNCTION numbered(t STRING) RETURNS TABLE (word STRING, n INT) LANGUAGE JAVASCRIPT AS $$ return t.split(' ').map((WORD, N) => ({ WORD, N })); $$;`,
    );
    expect((await execute(engine, 'SELECT WORDS(T) FROM S EMIT CHANGES LIMIT 3;')).rows).toEqual([
      ['a'],
      ['b'],
      ['end'],
    ]);
    expect((await execute(engine, 'SELECT NUMBERED(T)->N FROM S EMIT CHANGES LIMIT 2;')).rows).toEqual([
      [0],
      [1],
    ]);
  });

  test('an aggregate declares its members, exports them, or returns them', async () => {
    await execute(
      engine,
      `CREATE AGGREGATE FUNCTION total(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS $$
         export function initial() { return 0; }
         export function add(state, n) { return state + n; } // the last line has a comment
       $$;
       CREATE AGGREGATE FUNCTION spread(n BIGINT) RETURNS BIGINT STATE STRUCT<L BIGINT, H BIGINT> LANGUAGE JAVASCRIPT AS $$
         return { initial: () => null, add: (s, n) => s === null ? { L: n, H: n } : { L: Math.min(s.L, n), H: Math.max(s.H, n) }, result: (s) => s.H - s.L };
       $$;
       CREATE TABLE AGG AS SELECT 1 AS ONE, TOTAL(N) AS T, SPREAD(N) AS W FROM S GROUP BY 1;`,
    );
    await engine.drain();
    expect((await execute(engine, 'SELECT T, W FROM AGG;')).rows).toEqual([[12, 2]]);
  });
});

describe('what code may not do', () => {
  test('a wrong type, a throw and a promise give null', async () => {
    expect(await valueOf("return 'x';", 'INT')).toBeNull();
    expect(await valueOf("throw new Error('no');")).toBeNull();
    expect(await valueOf('throw null;')).toBeNull();
    expect(await valueOf('throw { get message() { for (;;); } };')).toBeNull();
    expect(await valueOf('return Promise.resolve(1);')).toBeNull();
    expect(await valueOf('return () => 1;')).toBeNull();
    expect(await valueOf('const f = () => f(); return f();')).toBeNull();
    expect(await valueOf('const a = []; a.push(a); return a;', 'ARRAY<STRING>')).toBeNull();
  });

  test('nothing of Node is there', async () => {
    const names =
      'process,require,module,fetch,Buffer,setTimeout,setInterval,setImmediate,queueMicrotask,WebSocket,XMLHttpRequest,WebAssembly,SharedArrayBuffer,Atomics,structuredClone,navigator,console,Worker';
    expect(
      await valueOf(
        `return '${names}'.split(',').filter((name) => typeof globalThis[name] !== 'undefined').join();`,
      ),
    ).toBe('');
  });

  test.each([
    ["this.constructor.constructor('return process')()", 'this'],
    ["globalThis.constructor.constructor('return process')()", 'globalThis'],
    ["(function () {}).constructor('return process')()", 'a function of its own'],
    ["arguments[0].constructor.constructor('return process')()", 'an argument'],
    [
      "(() => { try { null.x } catch (e) { return e.constructor.constructor('return process')() } })()",
      'an error',
    ],
    [
      "(() => { const f = () => f(); try { f() } catch (e) { return e.constructor.constructor('return process')() } })()",
      'a stack that overflows',
    ],
    ["arguments.callee.caller.constructor('return process')()", 'its caller'],
    [
      "(() => { Error.prepareStackTrace = (e, frames) => frames.map((f) => f.getFunction() || f.getThis()); const found = new Error().stack.filter((f) => f); Error.prepareStackTrace = undefined; return found.map((f) => { try { return typeof f.constructor('return process')() } catch { return 'undefined' } }).find((t) => t === 'object') ? {} : undefined })()",
      'frames of the stack',
    ],
  ])('process is not reached by %s', async (expression) => {
    const value = await valueOf(`let found; try { found = ${expression}; } catch {} return typeof found;`);
    expect(value).toBe('undefined');
  });

  test('what import() rejects with is not reached in this call nor in the next', async () => {
    const body = `globalThis.seen ??= []; import('node:fs').then((fs) => seen.push('module'), (e) => seen.push(typeof e.constructor.constructor('return process')())); return seen.join();`;
    await execute(
      engine,
      `CREATE FUNCTION importing(n BIGINT) RETURNS STRING LANGUAGE JAVASCRIPT AS $$${body}$$;`,
    );
    const { rows } = await execute(engine, 'SELECT IMPORTING(N) FROM S EMIT CHANGES LIMIT 2;');
    expect(rows).toEqual([[''], ['']]);
  });

  test('no request leaves the process', async () => {
    let asked = 0;
    const server = createServer((_request, response) => {
      asked++;
      response.end();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const url = `http://127.0.0.1:${port}/`;
    expect(await valueOf(`try { fetch('${url}'); } catch (e) { return e.message; }`)).toBe(
      "'fetch' is not defined",
    );
    expect(asked).toBe(0);
    await new Promise((resolve) => server.close(resolve));
  });

  test('changing the language changes it for nobody else', async () => {
    await valueOf(
      "Array.prototype.map = () => ['hacked']; JSON.stringify = () => 'hacked'; Object.prototype.polluted = 1; return 'x';",
    );
    expect(await valueOf('return String([1].map((x) => x)) + typeof ({}).polluted;')).toBe('1undefined');
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  test('text after the body’s end is no statement of the program around it', async () => {
    await expect(valueOf('} globalThis.out = 1; function other() {')).rejects.toThrow('is not JavaScript');
    await expect(valueOf('return (')).rejects.toThrow('is not JavaScript');
  });

  test('a function that never returns gives null, is given up, and costs the others nothing', async () => {
    await execute(
      engine,
      `CREATE FUNCTION fine(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'return n + 1;';
       CREATE FUNCTION spin(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'for (;;);';`,
    );
    const start = performance.now();
    const { rows } = await execute(engine, 'SELECT SPIN(N), FINE(N) FROM MANY EMIT CHANGES LIMIT 20;');
    expect(rows).toEqual(Array.from({ length: 20 }, (_, i) => [null, i + 1]));
    expect(performance.now() - start).toBeLessThan(15_000);
  }, 30_000);

  test('what was silent is not called for a while, and the log says both', async () => {
    await execute(
      engine,
      `CREATE FUNCTION silent(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'for (;;);';
       CREATE STREAM SILENT_ONES AS SELECT SILENT(N) AS N FROM MANY;`,
    );
    await engine.drain();
    const { rows } = await execute(engine, 'SELECT N FROM SILENT_ONES EMIT CHANGES LIMIT 20;');
    expect(rows).toEqual(Array.from({ length: 20 }, () => [null]));
    const { createdBy } = engine.catalog.get('SILENT_ONES')!;
    const entries = await execute(
      engine,
      `SELECT DETAIL FROM KSQL_PROCESSING_LOG WHERE QUERY = '${createdBy!}' EMIT CHANGES LIMIT 20;`,
    );
    const details = entries.rows.map(([detail]) => detail as string);
    expect(details[0]).toMatch(/SILENT: (it did not end within|no answer within)/);
    expect(details.at(-1)).toMatch(
      /SILENT: it did not answer in time before and is not called for another \d+ s/,
    );
    await execute(engine, 'DROP STREAM SILENT_ONES;');
  }, 30_000);

  test('functions that are slow leave others the event loop after each record', async () => {
    await execute(
      engine,
      `CREATE FUNCTION slow(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'const end = Date.now() + 60; while (Date.now() < end); return n;';`,
    );
    const query = execute(engine, 'SELECT SLOW(N) FROM MANY EMIT CHANGES LIMIT 20;');
    const { longestMs, totalMs } = await turnsDuring(query);
    expect((await query).rows).toEqual(Array.from({ length: 20 }, (_, i) => [i]));
    expect(longestMs).toBeLessThan(totalMs / 2);
  }, 30_000);

  test('functions of one record that are all silent do not hold the event loop one after the other', async () => {
    const names = Array.from({ length: 12 }, (_, i) => `SPIN${i}`);
    await execute(
      engine,
      names
        .map((name) => `CREATE FUNCTION ${name}(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'for (;;);';`)
        .join(''),
    );
    const calls = names.map((name) => `${name}(N)`).join(', ');
    const query = execute(engine, `SELECT ${calls} FROM MANY EMIT CHANGES LIMIT 1;`);
    const { longestMs } = await turnsDuring(query);
    expect((await query).rows).toEqual([names.map(() => null)]);
    // Less than a second, on a machine that has others to serve; each of them would take 0.3 s.
    expect(longestMs).toBeLessThan(10_000);
  }, 30_000);

  test('an aggregate whose text never ends is refused', async () => {
    await expect(
      execute(
        engine,
        "CREATE AGGREGATE FUNCTION endless(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'for (;;);';",
      ),
    ).rejects.toThrow(/did not end within|no answer/);
  }, 15_000);

  test('memory without end costs its thread', async () => {
    expect(await valueOf("const all = []; for (;;) all.push('x'.repeat(1e6) + all.length);")).toBeNull();
    expect(await valueOf("return 'x'.repeat(8e6);")).toBeNull();
    expect(await valueOf("return 'still here';")).toBe('still here');
  }, 15_000);
});

describe('the statement', () => {
  test.each([
    [
      "CREATE FUNCTION LCASE(t STRING) RETURNS STRING LANGUAGE JAVASCRIPT AS 'return t;';",
      'ML_NAME_TAKEN',
      'comes with the engine',
    ],
    [
      "CREATE FUNCTION F(t STRING) RETURNS STRING LANGUAGE PYTHON AS 'return t';",
      'ML_UNSUPPORTED',
      'there is no language PYTHON',
    ],
    [
      "CREATE FUNCTION F(`a b` STRING) RETURNS STRING LANGUAGE JAVASCRIPT AS 'return t;';",
      'ML_SYNTAX',
      'is no name of JavaScript',
    ],
    [
      "CREATE FUNCTION F(t NOTHING) RETURNS STRING LANGUAGE JAVASCRIPT AS 'return t;';",
      'ML_NAME_UNKNOWN',
      'NOTHING',
    ],
    [
      "CREATE FUNCTION F(t INT) RETURNS INT STATE INT LANGUAGE JAVASCRIPT AS 'return t;';",
      'ML_UNSUPPORTED',
      'only an aggregate has STATE',
    ],
    [
      "CREATE AGGREGATE FUNCTION F(t INT) RETURNS TABLE (x INT) LANGUAGE JAVASCRIPT AS 'return t;';",
      'ML_UNSUPPORTED',
      'returns one value',
    ],
    [
      "CREATE AGGREGATE FUNCTION F(t INT) RETURNS INT LANGUAGE JAVASCRIPT AS 'return {};';",
      'ML_DATA',
      'no function initial and no function add',
    ],
    [
      "CREATE FUNCTION F(t INT) RETURNS INT LANGUAGE TYPESCRIPT AS 'return (((';",
      'ML_SYNTAX',
      'is not TypeScript',
    ],
    ['DROP FUNCTION NOTHING;', 'ML_NAME_UNKNOWN', 'there is no function NOTHING'],
    ['DROP FUNCTION LCASE;', 'ML_IN_USE', 'comes with the engine'],
  ])('%s is refused', async (sql, code, message) => {
    await expect(execute(engine, sql)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message) as string,
    });
    expect(engine.functions.has('F')).toBe(false);
  });

  test('a function cannot be dropped while queries call it, and they are named', async () => {
    await execute(
      engine,
      `CREATE FUNCTION used(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS 'return n;';
       CREATE STREAM USES AS SELECT K, USED(N) AS N FROM S WHERE LEN(T) > USED(0);`,
    );
    const { createdBy } = engine.catalog.get('USES')!;
    await expect(execute(engine, 'DROP FUNCTION USED;')).rejects.toMatchObject({
      code: 'ML_IN_USE',
      message: `function USED is called by ${createdBy!}`,
    });
    await execute(engine, 'DROP STREAM USES; DROP FUNCTION USED; DROP FUNCTION IF EXISTS USED;');
    await expect(execute(engine, 'SELECT USED(N) FROM S EMIT CHANGES;')).rejects.toThrow('USED');
  });

  test('IF NOT EXISTS keeps what is there; without OR REPLACE it is an error; a query keeps its version', async () => {
    const create = (how: string, what: string) =>
      `CREATE ${how} FUNCTION ${what === 'one' && how === 'IF' ? 'IF NOT EXISTS' : ''} versioned() RETURNS STRING LANGUAGE JAVASCRIPT AS 'return "${what}";';`;
    await execute(engine, create('', 'first'));
    await expect(execute(engine, create('', 'second'))).rejects.toMatchObject({ code: 'ML_NAME_TAKEN' });
    await execute(
      engine,
      `CREATE FUNCTION IF NOT EXISTS versioned() RETURNS STRING LANGUAGE JAVASCRIPT AS 'return "other";';
       CREATE STREAM OLD AS SELECT K, VERSIONED() AS V FROM S;`,
    );
    await execute(engine, create('OR REPLACE', 'second'));
    await execute(engine, 'CREATE STREAM NEW AS SELECT K, VERSIONED() AS V FROM S;');
    await engine.drain();
    expect((await execute(engine, 'SELECT V FROM OLD EMIT CHANGES LIMIT 1;')).rows).toEqual([['first']]);
    expect((await execute(engine, 'SELECT V FROM NEW EMIT CHANGES LIMIT 1;')).rows).toEqual([['second']]);
  });

  test('SHOW FUNCTIONS and DESCRIBE FUNCTION have it', async () => {
    await execute(
      engine,
      "CREATE FUNCTION shown(theText STRING) RETURNS ARRAY<INT> LANGUAGE JAVASCRIPT AS 'return [];';",
    );
    const { entity } = await execute(engine, 'SHOW FUNCTIONS;');
    expect(entity).toMatchObject({ '@type': 'function_names' });
    expect((entity as unknown as { functions: unknown[] }).functions).toContainEqual({
      name: 'SHOWN',
      type: 'SCALAR',
      category: 'USER',
    });
    const described = await execute(engine, 'DESCRIBE FUNCTION SHOWN;');
    expect(described.entity).toMatchObject({
      functions: [{ arguments: [{ name: 'theText', type: 'STRING' }], returnType: 'ARRAY<INTEGER>' }],
    });
  });

  test('what starts the process can switch it off, and no statement can switch it on', async () => {
    const closed = await openEngine(null, { properties: new Map([['ksql.udfs.enabled', 'false']]) });
    const create = "CREATE FUNCTION f() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1;';";
    await expect(execute(closed, create)).rejects.toMatchObject({ code: 'ML_UNSUPPORTED' });
    await expect(execute(closed, "ALTER SYSTEM 'ksql.udfs.enabled' = 'true';")).rejects.toMatchObject({
      code: 'ML_PROPERTY',
    });
    await expect(execute(closed, "SET 'ksql.udfs.enabled' = 'true';")).rejects.toMatchObject({
      code: 'ML_PROPERTY',
    });
    await closed.close();
  });
});

test('functions and their queries are there again after a restart', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-create-function-'));
  try {
    const before = await openEngine(directory);
    await execute(
      before,
      `${SOURCE}
       CREATE FUNCTION gone() RETURNS INT LANGUAGE JAVASCRIPT AS 'return 1;'; DROP FUNCTION gone;
       CREATE FUNCTION twice(n BIGINT) RETURNS BIGINT LANGUAGE JAVASCRIPT AS $$ return n * 2; $$;
       CREATE STREAM TWICES AS SELECT K, TWICE(N) AS N FROM S;`,
    );
    await before.close();
    const after = await openEngine(directory);
    expect(after.functions.has('GONE')).toBe(false);
    await execute(after, 'INSERT INTO S VALUES (3, 50, NULL);');
    await after.drain();
    const { rows } = await execute(after, 'SELECT N FROM TWICES EMIT CHANGES LIMIT 3;');
    expect(rows).toEqual([[10], [14], [100]]);
    await after.close();
  } finally {
    rmSync(directory, { recursive: true });
  }
});
