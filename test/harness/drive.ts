import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import {
  TopologyTestDriver,
  type TopologyTestDriverOptions,
} from '../../src/streams/test-driver/topology-test-driver.ts';

/** A record of a test: topic, key, value, timestamp. */
export type Piped = readonly [topic: string, key: string | null, value: string | null, timestamp: number];

export type Result = readonly [key: string | null, value: string | null, timestamp: number];

/** Builds a topology of texts, pipes records in, and gives what it wrote to topic `out`. */
export async function drive(
  build: (builder: StreamsBuilder) => void,
  piped: readonly Piped[],
  options: TopologyTestDriverOptions = {},
): Promise<Result[]> {
  const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
  build(builder);
  const driver = await TopologyTestDriver.open(builder.build(), options);
  try {
    for (const [topic, key, value, timestamp] of piped)
      await driver.createInputTopic(topic, Serdes.string, Serdes.string).pipeInput(key, value, timestamp);
    const records = await driver.createOutputTopic('out', Serdes.string, Serdes.string).readRecords();
    return records.map(({ key, value, timestamp }) => [
      key as string | null,
      value as string | null,
      timestamp,
    ]);
  } finally {
    await driver.close();
  }
}
