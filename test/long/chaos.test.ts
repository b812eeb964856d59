import { spawn } from 'node:child_process';
import { expect, test } from 'vitest';
import { kafkaClasspath, startKafka, whyNoKafka } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { transactionOutcomes } from '../chaos/java-tail.ts';
import { appendRecord } from '../harness/append-record.ts';
import { untilAsync } from '../harness/until.ts';

const missing =
  process.env['MILLRACE_TEST_NO_KAFKA'] === undefined ? await whyNoKafka() : 'MILLRACE_TEST_NO_KAFKA is set';

/** Three minutes of `npm run chaos`, which take four to six with the start of three brokers. */
test.skipIf(missing !== undefined)(
  `kills of processes and brokers lose nothing and double nothing${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  async () => {
    const chaos = spawn(process.execPath, ['scripts/chaos.js', '--minutes', '3', '--seed', '12'], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let output = '';
    for (const stream of [chaos.stdout, chaos.stderr])
      stream.on('data', (chunk) => (output += String(chunk)));
    try {
      const code = await new Promise<number | null>((resolve) => chaos.once('close', resolve));
      expect(code, output).toBe(0);
      expect(output).toContain('seed 12 passed');
    } finally {
      chaos.kill('SIGTERM');
    }
  },
);

test.skipIf(missing !== undefined)(
  'segments tell what is open, and two outcomes under one epoch',
  async () => {
    // Where all transactions of a producer share its epoch they look like one, whose partitions disagree.
    const kafka = await startKafka({ transactionVersion: 1 });
    const log = await openKafkaLog({
      brokers: [kafka.address],
      clientId: 'outcomes',
      clock: systemClock,
      logger: silentLogger,
    });
    try {
      await log.admin.createTopic({ name: 't', partitions: 2 });
      const read = async () =>
        transactionOutcomes(await kafkaClasspath(), kafka.address, kafka.nodes[0]!.data);
      const write = async (id: string, partition: number) => {
        const writer = await log.openWriter({ transactionalId: id });
        appendRecord(writer, { topic: 't', partition }, { value: 'v' });
        return writer;
      };
      const first = await write('first', 0);
      await first.commit([]);
      await first.readable();
      expect(await read()).toEqual({ faults: [], committed: 1, undone: 0 });

      appendRecord(first, { topic: 't', partition: 1 }, { value: 'v' });
      await first.flush();
      const open = await read();
      expect(open.faults.toSorted()).toEqual([
        'open\tfirst\tOngoing',
        expect.stringMatching(/^open\tt-1\tTransaction\[producerId=\d+, epoch=0\]$/) as string,
      ]);
      await first.close();
      await untilAsync(async () => (await log.admin.offsets('t'))[1]!.end === 2);
      expect((await read()).faults).toEqual([
        expect.stringMatching(/^torn\t.*ABORT=\[t-1\], COMMIT=\[t-0\]/),
      ]);
    } finally {
      await log.close();
      await kafka.stop();
    }
  },
  120_000,
);
