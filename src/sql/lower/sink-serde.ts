import { AssertionError } from '../../common/assert.ts';
import { formatOf } from '../../formats/registry.ts';
import type { Serde } from '../../streams/topology/serde.ts';
import type { SqlValue } from '../../types/value.ts';
import type { PlanSink } from '../plan/node.ts';
import { settingsOf } from '../catalog/format-settings.ts';
import type { RawColumns } from './source-serde.ts';

/**
 * Rows as values of the sink's topic. `rawIndex` says which value columns are copied from the source's bytes: index
 * into its raw ranges, or -1. Null when the format cannot copy them.
 */
export function sinkSerde(
  node: PlanSink,
  raw: RawColumns | null,
  rawIndex: readonly number[],
): Serde<SqlValue[]> | null {
  const columns = valueColumnsOf(node);
  const slots = node.valuePositions;
  const encoder = formatOf(node.valueFormat.name).openEncoder(columns, settingsOf(node.valueFormat, false));
  const deserialize = (): never => {
    throw new AssertionError('sinks are not read');
  };
  if (raw === null) return { serialize: (row, writer) => encoder.encode(row, slots, writer), deserialize };
  const encode = encoder.withRaw?.(raw.decoder, rawIndex) ?? null;
  if (encode === null) return null;
  return { serialize: (row, writer) => encode(row, slots, raw.buffer, writer), deserialize };
}

/** The sink's value columns, as they are named in its topic. */
function valueColumnsOf(node: PlanSink): PlanSink['columns'] {
  return node.valuePositions.map((position) => node.input.columns[position]!);
}
