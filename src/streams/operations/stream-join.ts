import type { ValueCodec } from '../../state/store.ts';
import {
  joinStreams,
  type JoinStreamsOptions,
  rememberForJoin,
  waitingValuesCodec,
} from '../processors/join-streams.ts';
import { passThrough } from '../processors/pass-through.ts';
import type { Processor } from '../topology/processor.ts';
import { selfJoinStream } from '../processors/self-join-stream.ts';
import type { StoreDefinition, Topology } from '../topology/topology.ts';

export interface StreamJoinSide extends Pick<JoinStreamsOptions, 'outer' | 'quiet'> {
  readonly parents: readonly string[];
  /** The node that remembers records for the other side, and the one that joins them. */
  readonly remembers: string;
  readonly joins: string;
  /** The store of remembered records. */
  readonly store: string;
  readonly values: ValueCodec;
}

export interface StreamJoinOptions extends Pick<
  JoinStreamsOptions,
  'beforeMs' | 'afterMs' | 'graceMs' | 'joiner' | 'keep'
> {
  /** The node that the result leaves. */
  readonly name: string;
  /** The sources of both sides, which are partitioned alike. */
  readonly sources: Iterable<string>;
  readonly left: StreamJoinSide;
  /** Null: the left stream is joined with itself, over one store. */
  readonly right: StreamJoinSide | null;
  /** The store of records that wait for a partner until their window has closed; null: those of outer sides go out at once. */
  readonly waiting: string | null;
  /**
   * Whether the row at the very end of the retention is seen. Kafka Streams' stores do not show it, so that in a window of no
   * length nothing meets without grace.
   */
  readonly keepsEnd: boolean;
  readonly changelog: boolean;
  readonly persistent: boolean;
  /** Further options of the stores of both sides. */
  readonly remembered?: Omit<StoreDefinition, 'options'>;
  /** Opens the processor of joined records; default: they pass. */
  readonly open?: () => Processor;
}

/** Joins two streams within a window: each side remembers its records for the other. */
export function addStreamJoin(topology: Topology, options: StreamJoinOptions): void {
  const { name, left, right, waiting, changelog, persistent, remembered, open = passThrough() } = options;
  const { beforeMs, afterMs, graceMs, joiner, keep } = options;
  topology.addCopartition(options.sources);
  const window = {
    kind: 'window',
    changelog,
    persistent,
    retentionMs: beforeMs + afterMs + graceMs - (options.keepsEnd ? 0 : 1),
    duplicates: true,
  } as const;
  const remember = ({ remembers, parents, store, values }: StreamJoinSide): void => {
    topology.addProcessor({
      name: remembers,
      parents,
      open: rememberForJoin({ store, keep }),
      stores: [{ ...remembered, options: { ...window, name: store, values } }],
    });
  };
  const within = { beforeMs, afterMs, graceMs, joiner };
  remember(left);
  if (right === null) {
    const joined = selfJoinStream({ ...within, store: left.store });
    topology.addProcessor({ name, parents: [left.remembers], open: joined, uses: [left.store] });
    return;
  }
  remember(right);
  const stores: StoreDefinition[] = [];
  if (waiting !== null) {
    const values = waitingValuesCodec(left.values, right.values);
    stores.push({ options: { kind: 'key-value', name: waiting, values, changelog, persistent } });
  }
  const join = (side: 'left' | 'right', own: StreamJoinSide, otherStore: string): void => {
    const { joins, remembers, outer, quiet } = own;
    const joining = { ...within, name, keep, side, outer, quiet, otherStore, waitingStore: waiting };
    topology.addProcessor({
      name: joins,
      parents: [remembers],
      open: joinStreams(joining),
      stores,
      uses: [otherStore],
    });
  };
  join('left', left, right.store);
  join('right', right, left.store);
  topology.addProcessor({ name, parents: [left.joins, right.joins], open });
}
