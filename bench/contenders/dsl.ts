import { systemClock } from '../../src/common/clock.ts';
import { openLogger } from '../../src/common/logger.ts';
import type { FormatSettings } from '../../src/formats/format.ts';
import { json } from '../../src/formats/json.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { TimeWindows } from '../../src/streams/dsl/windows.ts';
import { Streams } from '../../src/streams/application/streams.ts';
import type { Serde } from '../../src/streams/topology/serde.ts';
import type { Column } from '../../src/types/schema.ts';
import { BIGINT, DOUBLE, STRING } from '../../src/types/sql-type.ts';
import type { SqlValue } from '../../src/types/value.ts';
import type { Pass } from '../contender.ts';
import { itemCount } from '../items.ts';
import { GRACE_MS, RETENTION_MS, type ScenarioName, WINDOW_MS } from '../scenarios.ts';
import { measure, type Measured, UNITS_OVER } from '../workload.ts';

const COLUMNS: Readonly<Record<string, Column>> = {
  ORDERID: { name: 'ORDERID', type: BIGINT },
  ITEMID: { name: 'ITEMID', type: STRING },
  ORDERUNITS: { name: 'ORDERUNITS', type: DOUBLE },
  ORDERTIME: { name: 'ORDERTIME', type: BIGINT },
  NAME: { name: 'NAME', type: STRING },
  PRICE: { name: 'PRICE', type: DOUBLE },
  N: { name: 'N', type: BIGINT },
};
const JSON_VALUE: FormatSettings = { isKey: false, wrapped: true, properties: new Map() };

type Row = SqlValue[];

/**
 * Rows of some columns of JSON records, through our format as SQL has it: SQL and the DSL then differ in what is
 * around the operators and in nothing else. With no columns nothing is read.
 */
function rows(names: readonly string[], { borrowed }: { borrowed: boolean }): Serde<Row> {
  const columns = names.map((name) => COLUMNS[name]!);
  const decoder = json.openDecoder(
    columns,
    JSON_VALUE,
    columns.map((_, column) => ({ column, slot: column, raw: -1 })),
  );
  const encoder = json.openEncoder(columns, JSON_VALUE);
  const slots = columns.map((_, column) => column);
  const scratch: Row = columns.map(() => null);
  return {
    borrowed,
    deserialize(buffer, start, end) {
      const row = borrowed ? scratch : columns.map(() => null);
      if (columns.length > 0) decoder.decode(buffer, start, end, row);
      return row;
    },
    serialize: (row, writer) => encoder.encode(row, slots, writer),
  };
}

/** A count as the record `{"N": count}`. */
function counts(): Serde<number> {
  const encoder = json.openEncoder([COLUMNS['N']!], JSON_VALUE);
  const row: Row = [0];
  return {
    deserialize: () => 0,
    serialize(count, writer) {
      row[0] = count;
      encoder.encode(row, [0], writer);
    },
  };
}

const PROGRAMS: Record<ScenarioName, (builder: StreamsBuilder, pass: Pass) => void> = {
  'filter-project'(builder, { workload: { input, output } }) {
    const valueSerde = rows(['ORDERID', 'ITEMID', 'ORDERUNITS', 'ORDERTIME'], { borrowed: true });
    builder
      .stream<string, Row>(input, { keySerde: Serdes.string, valueSerde })
      .filter((_key, row) => (row[2] as number) > UNITS_OVER)
      .to(output, { valueSerde });
  },
  'windowed-count'(builder, { workload: { input, output } }) {
    builder
      .stream<string, Row>(input, { keySerde: Serdes.string, valueSerde: rows([], { borrowed: true }) })
      .groupByKey()
      .windowedBy(TimeWindows.ofSizeAndGrace(WINDOW_MS, GRACE_MS))
      .count({ name: 'counts', retentionMs: RETENTION_MS, coalesce: true })
      .toStream()
      .to(output, { valueSerde: counts() });
  },
  'word-count'(builder, { workload: { input, output } }) {
    builder
      .stream<string, Row>(input, {
        keySerde: Serdes.string,
        valueSerde: rows(['ITEMID'], { borrowed: true }),
      })
      .groupBy((_key, row) => row[0] as string, {
        keySerde: Serdes.string,
        valueSerde: rows([], { borrowed: true }),
      })
      .count({ name: 'counts', coalesce: true })
      .toStream()
      .to(output, { valueSerde: counts() });
  },
  'stream-table-join'(builder, { workload: { input, output }, items }) {
    const table = builder.table<string, Row>(items, {
      keySerde: Serdes.string,
      valueSerde: rows(['NAME', 'PRICE'], { borrowed: false }),
    });
    builder
      .stream<string, Row>(input, {
        keySerde: Serdes.string,
        valueSerde: rows(['ORDERID', 'ORDERUNITS'], { borrowed: true }),
      })
      .join(table, ([id, units], [name, price]): Row => [id!, units!, name!, price!])
      .to(output, { valueSerde: rows(['ORDERID', 'ORDERUNITS', 'NAME', 'PRICE'], { borrowed: true }) });
  },
};

/** The same question through `millrace/streams`, as a library's user asks it. */
export async function dsl(pass: Pass): Promise<Measured> {
  const { log, workload, scenario } = pass;
  const builder = new StreamsBuilder();
  PROGRAMS[scenario.name](builder, pass);
  const application = new Streams(builder.build(), {
    applicationId: pass.id,
    log,
    state: openStateBackend(),
    stateDirectory: pass.directory,
    clock: systemClock,
    logger: openLogger('warn'),
    commitIntervalMs: scenario.commitMs,
  });
  const records = workload.records + (scenario.name === 'stream-table-join' ? itemCount(workload) : 0);
  return measure(records, async () => {
    await application.start();
    await application.catchUp();
    await application.close();
    if (application.error !== null) throw application.error;
    return 0;
  });
}
