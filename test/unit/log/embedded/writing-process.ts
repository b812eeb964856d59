import { systemClock } from '../../../../src/common/clock.ts';
import { silentLogger } from '../../../../src/common/logger.ts';
import { openEmbeddedLog } from '../../../../src/log/embedded/embedded-log.ts';
import { LogError } from '../../../../src/log/log.ts';
import { appendRecord } from '../../../harness/append-record.ts';

/**
 * A process that writes until it is killed or cannot: `node FILE DIRECTORY SIZE`. Commit n adds the record `n…`
 * (SIZE bytes) to partitions 0 and 1 and commits offset n. Prints a line for each commit that was acknowledged.
 */
const [directory, size] = process.argv.slice(2);
const log = await openEmbeddedLog({
  clock: systemClock,
  logger: silentLogger,
  directory: directory!,
  segmentBytesMax: 200_000,
});
await log.admin.createTopic({ name: 't', partitions: 2 });
const writer = await log.openWriter({ group: 'g' });
let next = (await log.admin.offsets('t'))[0]!.end;
try {
  for (; ; next++) {
    const value = String(next).padEnd(Number(size), '.');
    for (const partition of [0, 1]) appendRecord(writer, { topic: 't', partition }, { value });
    await writer.commit([{ topic: 't', partition: 0, offset: next, metadata: '' }]);
    process.stdout.write(`${next}\n`);
  }
} catch (error) {
  if (!(error instanceof LogError) || error.kind !== 'unavailable') throw error;
  // What was taken back must not stand in the way of a write that fits.
  appendRecord(writer, { topic: 't', partition: 0 }, { value: 'small' });
  await writer.flush();
  process.stdout.write('failed\n');
}
