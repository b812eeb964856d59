import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka } from '../harness/kafka.ts';
import { describeLogContract } from '../harness/log-contract.ts';

describeKafka('the log in Kafka', (address) => {
  describeLogContract('Kafka', async () => {
    const log = await openKafkaLog({
      brokers: [address],
      clientId: 'contract',
      clock: systemClock,
      logger: silentLogger,
    });
    return { log, close: () => log.close() };
  });
});
