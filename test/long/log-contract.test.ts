import { afterAll, beforeAll, describe } from 'vitest';
import { startKafka, whyNoKafka } from '../../scripts/kafka.js';
import type { Kafka } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeLogContract } from '../harness/log-contract.ts';

/** The contract of the log on the Kafkas that people run: the newest, an earlier one, and the last before version 4. */

const missing = await whyNoKafka();

for (const version of ['4.4.0', '4.1.0', '3.9.1'])
  for (const nodes of [1, 3])
    describe.skipIf(missing !== undefined)(`Kafka ${version}, ${nodes} brokers`, () => {
      let kafka: Kafka;

      beforeAll(async () => {
        kafka = await startKafka({ version, nodes });
      });
      afterAll(() => kafka.stop());

      describeLogContract('Kafka', async () => {
        const log = await openKafkaLog({
          brokers: kafka.address.split(','),
          clientId: 'contract',
          clock: systemClock,
          logger: silentLogger,
        });
        return { log, close: () => log.close() };
      });
    });
