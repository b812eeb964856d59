import { join } from 'node:path';
import { systemClock, systemRandom } from '../../src/common/clock.ts';
import { openLogger } from '../../src/common/logger.ts';
import { openEngine } from '../../src/engine/open-engine.ts';
import { openEmbeddedLog } from '../../src/log/embedded/embedded-log.ts';
import { startServer } from '../../src/server/server.ts';
import { openStateBackend } from '../../src/state/task-state.ts';

/**
 * `millrace server --data-dir DIRECTORY` with everything small, so that journal files are rolled and emptied, partitions
 * compacted and tables of the state written all the time: `node FILE DIRECTORY`. Prints its port; ends with its standard input.
 */
const directory = process.argv[2]!;
const logger = openLogger('error');
const log = await openEmbeddedLog({
  clock: systemClock,
  logger,
  directory: join(directory, 'log'),
  segmentBytesMax: 60_000,
  compactionBytesMin: 5_000,
});
const engine = await openEngine({
  log,
  stateDirectory: join(directory, 'state'),
  state: openStateBackend({ writeBufferBytes: 1 << 16 }),
  clock: systemClock,
  random: systemRandom,
  logger,
  serviceId: 'default_',
  commandLog: true,
  version: 'test',
});
const server = await startServer({ engine, host: '127.0.0.1', port: 0, version: 'test' });
process.once('SIGTERM', () => {
  void server
    .close()
    .then(() => engine.close())
    .then(() => process.exit(0));
});
process.stdout.write(`${server.port}\n`);
// Who started it is gone.
process.stdin.resume().once('end', () => process.exit(1));
