import { Kafka, logLevel, Partitioners } from 'kafkajs';
import type { Message } from 'kafkajs';
import { measure, UNITS_OVER } from '../workload.ts';
import type { Measured, Workload } from '../workload.ts';

interface Order {
  readonly ordertime: number;
  readonly orderid: number;
  readonly itemid: string;
  readonly orderunits: number;
}

/** The loop that a Node programmer writes today: kafkajs, `eachBatch`, `JSON.parse`, `JSON.stringify`, `send`. */
export async function kafkajsLoop(address: string, workload: Workload): Promise<Measured> {
  const { input, output, records } = workload;
  const kafka = new Kafka({ brokers: [address], clientId: 'kafkajs-loop', logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
  // A group of its own for each pass: one that has read the topic would wait for more for ever.
  const consumer = kafka.consumer({
    groupId: `kafkajs-loop-${output}-${process.pid}`,
    maxBytesPerPartition: 4 << 20,
  });
  await producer.connect();
  await consumer.connect();
  await consumer.subscribe({ topic: input, fromBeginning: true });
  const measured = await measure(records, async () => {
    let read = 0;
    let written = 0;
    await new Promise<void>((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          partitionsConsumedConcurrently: 4,
          eachBatch: async ({ batch }) => {
            let messages: Message[] = [];
            const send = async (): Promise<void> => {
              if (messages.length > 0) await producer.send({ topic: output, messages });
              written += messages.length;
              messages = [];
            };
            for (const { key, value, timestamp } of batch.messages) {
              const order = JSON.parse(value!.toString()) as Order;
              if (order.orderunits > UNITS_OVER) {
                const { orderid, itemid, orderunits, ordertime } = order;
                const row = {
                  ORDERID: orderid,
                  ITEMID: itemid,
                  ORDERUNITS: orderunits,
                  ORDERTIME: ordertime,
                };
                messages.push({ key, value: JSON.stringify(row), timestamp, partition: batch.partition });
              }
              // Its producer's work grows with the square of the messages in one call.
              if (messages.length === 500) await send();
            }
            await send();
            read += batch.messages.length;
            if (read >= records) resolve();
          },
        })
        .catch(reject);
    });
    return written;
  });
  await consumer.disconnect();
  await producer.disconnect();
  return measured;
}
