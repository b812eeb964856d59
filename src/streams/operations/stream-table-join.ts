import type { ValueCodec } from '../../state/store.ts';
import {
  joinBufferedStreamTable,
  type JoinBufferedStreamTableOptions,
  waitingRecordCodec,
} from '../processors/join-buffered-stream-table.ts';
import { joinStreamTable, type JoinStreamTableOptions } from '../processors/join-stream-table.ts';
import { keyedStore, type Topology } from '../topology/topology.ts';

export interface StreamTableJoinOptions extends JoinStreamTableOptions {
  readonly name: string;
  readonly parents: readonly string[];
  /** The sources of both sides, which are partitioned alike. */
  readonly sources: Iterable<string>;
  /** Records wait for changes of the table that come late; null: they are joined as they come. */
  readonly wait: StreamTableWait | null;
}

export interface StreamTableWait extends Pick<JoinBufferedStreamTableOptions, 'graceMs' | 'window'> {
  readonly values: ValueCodec;
}

/** Joins a stream with a table's rows of the same keys. */
export function addStreamTableJoin(topology: Topology, options: StreamTableJoinOptions): void {
  const { name, parents, wait, table } = options;
  topology.addCopartition(options.sources);
  const uses = table.stores;
  if (wait === null) {
    topology.addProcessor({ name, parents, open: joinStreamTable(options), uses });
    return;
  }
  const buffer = `${name}-Buffer`;
  const { join, joiner } = options;
  const { graceMs, window, values } = wait;
  topology.addProcessor({
    name,
    parents,
    open: joinBufferedStreamTable({ table, join, joiner, buffer, graceMs, window }),
    stores: [keyedStore(buffer, waitingRecordCodec(values))],
    uses,
  });
}
