import { describe } from 'vitest';
import { whyNoKafka } from '../../scripts/kafka.js';
import { describeServiceFaults } from '../harness/service-faults.ts';
import type { RequestName } from '../harness/service-faults.ts';

const REQUESTS: readonly RequestName[] = [
  'produce',
  'txnOffsetCommit',
  'endTxn',
  'initProducerId',
  'findCoordinator',
  'metadata',
];
const WRITING: readonly RequestName[] = ['produce', 'txnOffsetCommit', 'endTxn'];
const VERSION_1: readonly RequestName[] = [...REQUESTS, 'addPartitionsToTxn', 'addOffsetsToTxn'];

const missing = await whyNoKafka();

describe.skipIf(missing !== undefined)('faults of requests, transaction.version 2', () => {
  describeServiceFaults({}, { held: REQUESTS, done: WRITING, unanswered: REQUESTS, repeated: REQUESTS });
});

describe.skipIf(missing !== undefined)('faults of requests, Kafka 3.9', () => {
  describeServiceFaults(
    { version: '3.9.1' },
    { held: VERSION_1, done: WRITING, unanswered: VERSION_1, repeated: [] },
  );
});
