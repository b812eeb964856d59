import type { ByteWriter } from '../../src/common/bytes.ts';
import { systemClock } from '../../src/common/clock.ts';
import { openLogger } from '../../src/common/logger.ts';
import type { FormatSettings } from '../../src/formats/format.ts';
import { json } from '../../src/formats/json.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { aggregateTimeWindows } from '../../src/streams/processors/aggregate-time-windows.ts';
import { filterStream } from '../../src/streams/processors/filter.ts';
import { Streams } from '../../src/streams/runtime/streams.ts';
import { type Serde, stringSerde } from '../../src/streams/topology/serde.ts';
import { Topology } from '../../src/streams/topology/topology.ts';
import type { Column } from '../../src/types/schema.ts';
import { BIGINT, DOUBLE, STRING } from '../../src/types/sql-type.ts';
import type { SqlValue } from '../../src/types/value.ts';
import type { Pass } from '../contender.ts';
import { GRACE_MS, RETENTION_MS, type ScenarioName, WINDOW_MS } from '../scenarios.ts';
import { measure, type Measured, UNITS_OVER } from '../workload.ts';

const ORDER_COLUMNS: readonly Column[] = [
  { name: 'ORDERTIME', type: BIGINT },
  { name: 'ORDERID', type: BIGINT },
  { name: 'ITEMID', type: STRING },
  { name: 'ORDERUNITS', type: DOUBLE },
];
const PROJECTED = [1, 2, 3, 0];
const UNITS = 3;
const JSON_VALUE: FormatSettings = { isKey: false, wrapped: true, properties: new Map() };

type Row = SqlValue[];

/** The topology that a scenario needs at least, put together by hand: what SQL adds to it is SQL's. */
const TOPOLOGIES: Partial<Record<ScenarioName, (pass: Pass) => Topology>> = {
  'filter-project': ({ workload }) => {
    const decoder = json.openDecoder(
      ORDER_COLUMNS,
      JSON_VALUE,
      PROJECTED.map((column, raw) => ({ column, slot: column === UNITS ? 0 : -1, raw })),
    );
    const projected = PROJECTED.map((column) => ORDER_COLUMNS[column]!);
    const encode = json.openEncoder(projected, JSON_VALUE).withRaw!(
      decoder,
      projected.map((_, raw) => raw),
    )!;
    const slots = projected.map(() => 0);
    const row: Row = [];
    let source: Uint8Array = Buffer.alloc(0);
    const value: Serde<Row> = {
      borrowed: true,
      deserialize(buffer, start, end) {
        source = buffer;
        decoder.decode(buffer, start, end, row);
        return row;
      },
      serialize: (each, writer) => encode(each, slots, source, writer),
    };
    return new Topology()
      .addSource({ name: 'orders', topics: [workload.input], key: stringSerde, value: value as Serde })
      .addProcessor({
        name: 'filter',
        open: filterStream((each) => ((each as Row)[0] as number) > UNITS_OVER),
        parents: ['orders'],
      })
      .addSink({
        name: 'result',
        topic: workload.output,
        parents: ['filter'],
        key: null,
        value: value as Serde,
      });
  },
  'windowed-count': ({ workload }) => {
    const decoder = json.openDecoder(ORDER_COLUMNS, JSON_VALUE, []);
    const encoder = json.openEncoder([{ name: 'N', type: BIGINT }], JSON_VALUE);
    const row: Row = [];
    const values: Serde<Row> = {
      borrowed: true,
      deserialize(buffer, start, end) {
        decoder.decode(buffer, start, end, row);
        return row;
      },
      serialize: () => undefined,
    };
    const slots = [0];
    const result: Row = [0];
    const counts: Serde<number> = {
      deserialize: () => 0,
      serialize(count, writer) {
        result[0] = count;
        encoder.encode(result, slots, writer);
      },
    };
    const stored = {
      encode: (value: unknown, writer: ByteWriter) => writer.writeSafeInt64(value as number),
      decode: (buffer: Uint8Array, start: number) => Number((buffer as Buffer).readBigInt64BE(start)),
    };
    return new Topology()
      .addSource({ name: 'orders', topics: [workload.input], key: stringSerde, value: values as Serde })
      .addProcessor({
        name: 'count',
        open: aggregateTimeWindows({
          store: 'counts',
          sizeMs: WINDOW_MS,
          advanceMs: WINDOW_MS,
          graceMs: GRACE_MS,
          emit: 'update',
          coalesce: true,
          sendOldValues: false,
          skipNullValues: true,
          initial: () => 0,
          add: (state) => (state as number) + 1,
        }),
        parents: ['orders'],
      })
      .addStore({
        options: {
          kind: 'window',
          name: 'counts',
          values: stored,
          changelog: true,
          persistent: true,
          retentionMs: RETENTION_MS,
          duplicates: false,
        },
        processors: ['count'],
      })
      .addSink({
        name: 'result',
        topic: workload.output,
        parents: ['count'],
        key: null,
        value: counts as Serde,
        window: { kind: 'time', sizeMs: WINDOW_MS },
      });
  },
};

export const STREAMS_SCENARIOS = Object.keys(TOPOLOGIES) as readonly ScenarioName[];

export async function streams(pass: Pass): Promise<Measured> {
  const { log, workload, scenario } = pass;
  const topology = TOPOLOGIES[scenario.name]!(pass);
  const application = new Streams(topology, {
    applicationId: pass.id,
    log,
    state: openStateBackend(),
    stateDirectory: pass.directory,
    clock: systemClock,
    logger: openLogger('warn'),
    commitIntervalMs: scenario.commitMs,
  });
  return measure(workload.records, async () => {
    await application.start();
    await application.catchUp();
    await application.close();
    if (application.error !== null) throw application.error;
    return 0;
  });
}
