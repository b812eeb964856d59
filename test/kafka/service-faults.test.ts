import { describeKafka } from '../harness/kafka.ts';
import { describeServiceFaults } from '../harness/service-faults.ts';

/** A few of the faults; the long tests have them all, and Kafka 3.9. */
describeKafka('faults of requests', () => {
  describeServiceFaults(
    {},
    { held: ['txnOffsetCommit'], done: ['endTxn'], unanswered: ['produce'], repeated: ['initProducerId'] },
  );
});
