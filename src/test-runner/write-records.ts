import type { Engine } from '../engine/engine.ts';
import { UNIVERSAL_FORMAT } from '../formats/registry.ts';
import { appendRecord } from '../log/append-record.ts';
import { partitionOfKey } from '../log/partitioner.ts';
import type { CatalogSource } from '../sql/catalog/source.ts';
import type { CaseRecord } from './case.ts';
import { encodeInput } from './encode-input.ts';

/**
 * Writes records in their order, as the first stream or table of their topic would have them, and waits until they
 * are in the log. `spread`: each to the partition of its key; else all to partition 0. Throws `DataError`.
 */
export async function writeRecords(
  engine: Engine,
  records: readonly CaseRecord[],
  spread: boolean,
): Promise<void> {
  const { log, catalog } = engine;
  const writer = await log.openWriter();
  try {
    for (const record of records) {
      const { topic, timestamp, headers } = record;
      const source = catalog.sources().find((each) => each.topic === topic) ?? bareSource(topic);
      const { key, value } = encodeInput(record, source);
      const partition = !spread || key === null ? 0 : partitionOfKey(key, 0, key.length, source.partitions);
      appendRecord(writer, { topic, partition }, { timestamp: timestamp ?? 0, key, value, headers });
    }
    await writer.flush();
  } finally {
    await writer.close();
  }
}

/** How records of a topic are written that no stream or table reads. */
function bareSource(topic: string): CatalogSource {
  const format = { name: UNIVERSAL_FORMAT, wrapped: false, properties: [] };
  return {
    name: topic,
    type: 'stream',
    schema: { key: [], value: [], headers: [] },
    topic,
    partitions: 1,
    keyFormat: format,
    valueFormat: format,
    window: null,
    timestamp: null,
    statementText: '',
    sourceOnly: false,
    createdBy: null,
  };
}
