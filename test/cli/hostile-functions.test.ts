import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createFunction, FINE, FINE_ROWS, FunctionServer, SETTING } from '../harness/function-server.ts';
import { BOMBS, BOMBS_OF_EACH_KIND, WAYS_OUT, wayOut } from '../harness/hostile-bodies.ts';

/** Functions that mean harm, in a server process: what they get, and what they cost others. */

describe('one server meets them all', () => {
  let server: FunctionServer;
  beforeAll(async () => {
    server = await FunctionServer.start();
    await server.run(SETTING);
  });
  afterAll(() => server.millrace.kill());

  let count = 0;
  async function attack(body: string, rows: number): Promise<{ rows: unknown[]; infoMs: number }> {
    const name = `F${count++}`;
    await server.run(createFunction(name, body));
    const query = server.rows(`SELECT ${name}(N, T) FROM S EMIT CHANGES LIMIT ${rows};`);
    const infoMs = await server.longestInfo(query);
    return { rows: await query, infoMs };
  }

  test.each(WAYS_OUT)('no process is reached by %s', async (_name, body) => {
    let answer;
    try {
      answer = await attack(wayOut(body), 2);
    } catch (error) {
      // A text that is no body is refused.
      expect(String(error)).toContain('is not JavaScript');
    }
    expect(JSON.stringify(answer?.rows ?? [])).not.toContain('out');
    expect(await server.rows(FINE)).toEqual(FINE_ROWS);
  });

  test.each(BOMBS)('%s costs its caller a null', async (_name, body) => {
    const { rows, infoMs } = await attack(body, 1);
    expect([[[null]], [['over']]]).toContainEqual(rows);
    expect(await server.rows(FINE)).toEqual(FINE_ROWS);
    // A second, on a machine that has others to serve.
    expect(infoMs).toBeLessThan(5000);
  });

  test('when they are over, no processor is busy with them', () => server.quiet());

  test('a function sees nothing of what another was given, gives, or has left behind', async () => {
    await server.run(
      createFunction(
        'THIEF',
        `globalThis.seen ??= [];
         const see = (value) => { seen.push(value); return 'stolen'; };
         JSON.stringify = JSON.parse = see; Array.prototype.join = function () { return see(this[0]); };
         Object.defineProperty(Object.prototype, 'mine', { get: () => 'stolen', set: see, configurable: true });
         return (seen.some((value) => /secret/.test(value)) || Object.hasOwn(globalThis, 'mine')) ? 'seen' : 'unseen';`,
      ) +
        createFunction(
          'OWNER',
          "globalThis.mine = 'secret ' + t; const text = [JSON.stringify(mine), n].join(); return text + typeof ({}).mine;",
        ),
    );
    expect(
      await server.rows('SELECT THIEF(N, T), OWNER(N, T), THIEF(N, T) FROM S EMIT CHANGES LIMIT 2;'),
    ).toEqual([
      ['unseen', '"secret a b",1undefined', 'unseen'],
      ['unseen', '"secret c d",2undefined', 'unseen'],
    ]);
  });
});

describe('a server ends at once', () => {
  test.each(BOMBS_OF_EACH_KIND)(
    'after a function was %s, and while it is called again',
    async (_name, body) => {
      const server = await FunctionServer.start();
      try {
        await server.run(SETTING + createFunction('BOMB', body));
        expect(await server.rows('SELECT BOMB(N, T) FROM S EMIT CHANGES LIMIT 1;')).toEqual([[null]]);
        const again = server.rows('SELECT BOMB(N, T) FROM S EMIT CHANGES;').catch(() => undefined);
        const begun = performance.now();
        expect(await server.millrace.kill('SIGTERM')).toMatchObject({ code: 0 });
        expect(performance.now() - begun).toBeLessThan(15_000);
        await again;
      } finally {
        await server.millrace.kill();
      }
    },
  );
});

describe('a query that lasts', () => {
  let directory: string;
  let server: FunctionServer | undefined;
  afterEach(async () => {
    await server?.millrace.kill();
    rmSync(directory, { recursive: true, force: true });
  });

  test('goes on after a record that its function cannot survive, and after a crash', async () => {
    directory = mkdtempSync(join(tmpdir(), 'millrace-hostile-'));
    const start = async (): Promise<FunctionServer> =>
      (server = await FunctionServer.start('--data-dir', directory));
    const first = await start();
    await first.run(
      SETTING +
        createFunction(
          'CURSED',
          "if (n === 2) Array.prototype.sort.call({ length: 2 ** 32 - 1 }); return t + '!';",
        ) +
        'CREATE STREAM OUT AS SELECT N, CURSED(N, T) AS V FROM S;' +
        "INSERT INTO S VALUES (3, 'e f');",
    );
    const rows = (server: FunctionServer, count: number): Promise<unknown[]> =>
      server.rows(`SELECT N, V FROM OUT EMIT CHANGES LIMIT ${count};`);
    const expected: unknown[] = [
      [1, 'a b!'],
      [2, null],
      [3, 'e f!'],
    ];
    expect(await rows(first, 3)).toEqual(expected);
    await first.millrace.kill('SIGKILL');

    const second = await start();
    await second.run("INSERT INTO S VALUES (2, 'again'); INSERT INTO S VALUES (4, 'g h');");
    expect(await rows(second, 5)).toEqual([...expected, [2, null], [4, 'g h!']]);
    expect(JSON.stringify(await second.run('SHOW QUERIES;'))).toContain('"RUNNING":1');
    const [entry] = (await second.rows(
      'SELECT DETAIL FROM KSQL_PROCESSING_LOG EMIT CHANGES LIMIT 1;',
    )) as string[][];
    expect(entry![0]).toMatch(/CURSED: (no answer within|it did not end within)/);
  });
});
