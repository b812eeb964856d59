import { expect, test } from 'vitest';
import { createFunction, FunctionServer, SETTING } from '../harness/function-server.ts';
import { BOMBS } from '../harness/hostile-bodies.ts';

/** Each in a server of its own, which is told to end as soon as the function has been called, and while it is again. */
test.each(BOMBS)('a server ends at once after %s', async (_name, body) => {
  const server = await FunctionServer.start();
  try {
    await server.run(SETTING + createFunction('BOMB', body));
    const [row] = await server.rows('SELECT BOMB(N, T) FROM S EMIT CHANGES LIMIT 1;');
    expect([[null], ['over']]).toContainEqual(row);
    const again = server.rows('SELECT BOMB(N, T) FROM S EMIT CHANGES;').catch(() => undefined);
    const begun = performance.now();
    expect(await server.millrace.kill('SIGTERM')).toMatchObject({ code: 0 });
    // Five seconds, on a machine that has others to serve.
    expect(performance.now() - begun).toBeLessThan(15_000);
    await again;
  } finally {
    await server.millrace.kill();
  }
});
