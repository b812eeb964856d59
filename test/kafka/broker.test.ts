import { expect, test } from 'vitest';
import { describeKafka, javaConsume, javaProduce, uniqueName } from '../harness/kafka.ts';
import { Kafka, logLevel } from 'kafkajs';

describeKafka('the broker of the tests', (address) => {
  test('takes records from the console producer and gives them to the console consumer', async () => {
    const topic = uniqueName('broker');
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1 }] });
    await admin.disconnect();
    await javaProduce(address, topic, ['a\tone', 'b\ttwo']);
    expect(await javaConsume(address, topic, 2)).toEqual([
      'Partition:0\tNO_HEADERS\ta\tone',
      'Partition:0\tNO_HEADERS\tb\ttwo',
    ]);
  });
});
