import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { silentLogger } from '../../../../src/common/logger.ts';
import { ManualClock } from '../../../../src/common/clock.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { openStateBackend } from '../../../../src/state/task-state.ts';
import { Streams } from '../../../../src/streams/application/streams.ts';
import { Topology } from '../../../../src/streams/topology/topology.ts';

test('what Streams shows is what docs/streams.md says of it', async () => {
  const clock = new ManualClock(0);
  const log = await openEmbeddedLog({ clock, logger: silentLogger });
  const streams = new Streams(new Topology(), {
    applicationId: 'app',
    log,
    clock,
    state: openStateBackend(),
    stateDirectory: null,
    logger: silentLogger,
  });
  const shown = new Set<string>();
  for (let each: object = streams; each !== Object.prototype; each = Object.getPrototypeOf(each) as object)
    for (const name of Object.getOwnPropertyNames(each)) shown.add(name);
  shown.delete('constructor');

  const page = readFileSync(new URL('../../../../docs/streams.md', import.meta.url), 'utf8');
  const [, section] = /### What `Streams` does and answers\n(.*?)\n\n\w/s.exec(page)!;
  const told = [...section!.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)/g)].map(([, name]) => name!),
  );
  expect([...shown].sort()).toEqual(told.sort());
  await log.close();
});
