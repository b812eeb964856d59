import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { kafkaTool } from '../../scripts/kafka.js';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { KafkaAdmin } from '../../src/log/kafka/kafka-admin.ts';
import { KafkaCluster } from '../../src/log/kafka/kafka-cluster.ts';
import { KafkaWriter } from '../../src/log/kafka/kafka-writer.ts';
import { openConnections } from '../../src/log/kafka/kafkajs-connections.ts';
import type { Connection, ProtocolRequest } from '../../src/log/kafka/kafkajs-parts.ts';
import type { WriterOptions } from '../../src/log/log.ts';
import { appendRecord } from '../harness/append-record.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';

const PRODUCE = 0;
const QUOTA_BYTES = 20_000;

describeKafka('quotas', (address) => {
  test.each(['in transactions', 'without'])('a writer %s waits as long as the broker says', async (name) => {
    const clientId = uniqueName('quota');
    const entity = ['--entity-type', 'clients', '--entity-name', clientId];
    const quota = ['--alter', '--add-config', `producer_byte_rate=${QUOTA_BYTES}`];
    const args = ['--bootstrap-server', address, ...quota, ...entity];
    await promisify(execFile)('java', await kafkaTool('org.apache.kafka.tools.ConfigCommand', args));

    /** For how long, after each answer to Produce, nothing is sent on the connection. */
    const waits: number[] = [];
    const real = await openConnections({ brokers: [address], clientId }, silentLogger);
    const openBroker: typeof real = async (destination) => {
      const broker = await real(destination);
      const pool = broker.connectionPool;
      const send = pool.send.bind(pool);
      pool.send = async <T>(request: ProtocolRequest<T>): Promise<T> => {
        const answer = await send(request);
        const { requestQueue } = pool.pool[0] as Connection & { requestQueue: { throttledUntil: number } };
        if (request.request.apiKey === PRODUCE) waits.push(requestQueue.throttledUntil - Date.now());
        return answer;
      };
      return broker;
    };
    const cluster = new KafkaCluster(openBroker, 1, systemClock, silentLogger);
    await cluster.refresh([]);
    const topic = uniqueName('quota');
    await new KafkaAdmin(cluster).createTopic({ name: topic, partitions: 1 });
    const options: WriterOptions = name === 'without' ? {} : { transactionalId: topic, group: topic };
    const writer = await KafkaWriter.open(cluster, options, () => {});
    // The quota is counted over eleven seconds: this is more than that.
    appendRecord(writer, { topic, partition: 0 }, { value: Buffer.alloc(QUOTA_BYTES * 13) });
    await writer.flush();
    expect(waits).toHaveLength(1);
    expect(waits[0]).toBeGreaterThan(100);
    await writer.close();
    await cluster.close();
  });
});
