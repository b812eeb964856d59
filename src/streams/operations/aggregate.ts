import { must } from '../../common/assert.ts';
import type { KeyValueStoreOptions, SessionStoreOptions, WindowStoreOptions } from '../../state/store.ts';
import {
  aggregateCustomWindows,
  type AggregateCustomWindowsOptions,
} from '../processors/aggregate-custom-windows.ts';
import { aggregateSessions, type AggregateSessionsOptions } from '../processors/aggregate-sessions.ts';
import { aggregateSlidingWindows } from '../processors/aggregate-sliding-windows.ts';
import { aggregateStream } from '../processors/aggregate-stream.ts';
import { aggregateTable, type AggregateTableOptions } from '../processors/aggregate-table.ts';
import { aggregateTimeWindows } from '../processors/aggregate-time-windows.ts';
import { aggregateUnlimitedWindow, UNLIMITED_END } from '../processors/aggregate-unlimited-window.ts';
import type { Aggregation } from '../processors/aggregate.ts';
import type { ChangeOptions } from '../processors/changes.ts';
import type { Processor } from '../topology/processor.ts';
import type { StoreDefinition, Topology, WindowedKeyFormat } from '../topology/topology.ts';

/** When a windowed aggregation forwards: with each record, or once, when the window has closed. */
export type EmitStrategy = 'update' | 'close';

/** The windows that records are grouped by, beside their key. */
export type AggregateWindows =
  | { readonly kind: 'time'; readonly sizeMs: number; readonly advanceMs: number; readonly graceMs: number }
  | { readonly kind: 'session'; readonly gapMs: number; readonly graceMs: number }
  | { readonly kind: 'sliding'; readonly differenceMs: number; readonly graceMs: number }
  | { readonly kind: 'unlimited'; readonly startMs: number }
  | {
      readonly kind: 'custom';
      readonly windowsFor: AggregateCustomWindowsOptions['windowsFor'];
      /** How long they are at most, and the one that starts there. */
      readonly sizeMs: number;
      readonly lengthFrom: (start: number) => number;
      readonly graceMs: number;
    };

/** The properties of windows that matter to those who keep and read them. */
export interface WindowTraits {
  readonly store: 'window' | 'session';
  readonly keys: WindowedKeyFormat;
  /** How long after its end a window may still change. */
  readonly graceMs: number;
  /** How long after its start a window may still change, a session after its last record: it is kept for so long. */
  readonly changesMs: number;
}

export function traitsOf(windows: AggregateWindows): WindowTraits {
  switch (windows.kind) {
    case 'time': {
      const { sizeMs, graceMs } = windows;
      return { store: 'window', keys: { kind: 'time', sizeMs }, graceMs, changesMs: sizeMs + graceMs };
    }
    case 'custom': {
      const { sizeMs, lengthFrom, graceMs } = windows;
      const keys = { kind: 'time', sizeMs: lengthFrom } as const;
      return { store: 'window', keys, graceMs, changesMs: sizeMs + graceMs };
    }
    case 'sliding': {
      const { differenceMs: sizeMs, graceMs } = windows;
      return { store: 'window', keys: { kind: 'time', sizeMs }, graceMs, changesMs: 2 * sizeMs + graceMs };
    }
    case 'unlimited': {
      const sizeMs = UNLIMITED_END - windows.startMs;
      return { store: 'window', keys: { kind: 'time', sizeMs }, graceMs: 0, changesMs: Infinity };
    }
    case 'session': {
      const changesMs = windows.gapMs + windows.graceMs;
      return { store: 'session', keys: { kind: 'session' }, graceMs: changesMs, changesMs };
    }
  }
}

/** A store of windows that keeps them for `retentionMs`. `emit`: how those who aggregate into it forward. */
export function windowedStore(
  kind: WindowTraits['store'],
  common: Omit<KeyValueStoreOptions, 'kind' | 'rowsMax'>,
  retentionMs: number,
  emit: EmitStrategy,
): WindowStoreOptions | SessionStoreOptions {
  // Kafka Streams' stores do not show the row at the very end of the retention, except those by time.
  const kept = { ...common, retentionMs: emit === 'close' ? retentionMs : retentionMs - 1 };
  return kind === 'session' ? { kind, ...kept } : { kind, ...kept, duplicates: false };
}

export interface WindowedAggregation {
  readonly windows: AggregateWindows;
  readonly emit: EmitStrategy;
  /** For sessions: joins the states of two that a record brought together. */
  readonly merge?: AggregateSessionsOptions['merge'] | undefined;
  /** See `AggregateTimeWindowsOptions`. */
  readonly skipNullValues?: boolean;
  readonly emitFirst?: boolean;
}

export interface AggregateOptions extends Aggregation, ChangeOptions {
  readonly name: string;
  readonly parents: readonly string[];
  /** Keeps the states; several aggregates may keep theirs in one. */
  readonly store: StoreDefinition;
  /** For a regrouped table, whose changes are aggregated: takes back an earlier `add`. */
  readonly undo?: AggregateTableOptions['undo'];
  /** Null: one state a key. */
  readonly windowed: WindowedAggregation | null;
}

/** Aggregates the records of each key, or of each key and window. The result is the change of the state. */
export function addAggregate(topology: Topology, options: AggregateOptions): void {
  const { name, parents, store } = options;
  topology.addProcessor({ name, parents, open: openAggregate(options), stores: [store] });
}

function openAggregate(options: AggregateOptions): () => Processor {
  const { initial, add, undo, sendOldValues, coalesce, windowed } = options;
  const { options: kept } = options.store;
  const common = { initial, add, store: kept.name, sendOldValues, coalesce };
  if (undo !== undefined) return aggregateTable({ ...common, undo });
  if (windowed === null) return aggregateStream(common);
  const { windows, emit, skipNullValues = false, emitFirst = false } = windowed;
  switch (windows.kind) {
    case 'time':
      return aggregateTimeWindows({ ...common, ...windows, emit, skipNullValues, emitFirst });
    case 'custom':
      return aggregateCustomWindows({ ...common, ...windows });
    case 'sliding':
      return aggregateSlidingWindows({ ...common, ...windows, emit });
    case 'unlimited':
      return aggregateUnlimitedWindow({ ...common, ...windows });
    case 'session': {
      const merge = must(windowed.merge, 'sessions join states');
      const { gapMs, graceMs } = windows;
      const growMs = emit === 'close' && kept.kind === 'session' ? kept.retentionMs : Infinity;
      return aggregateSessions({ ...common, gapMs, graceMs, merge, emit, skipNullValues, growMs });
    }
  }
}
