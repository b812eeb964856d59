import { systemClock as clock } from '../../src/common/clock.ts';
import { silentLogger as logger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { mergedPartitionsTests } from '../harness/merged-partitions.ts';
import { openEngine } from '../harness/open-engine.ts';

describeKafka('partitions merged by time on Kafka', (address) => {
  mergedPartitionsTests(
    async () =>
      openEngine(null, {
        log: await openKafkaLog({ brokers: [address], clientId: 'merged', clock, logger }),
        serviceId: uniqueName('merged'),
      }),
    (name) => uniqueName(name),
  );
});
