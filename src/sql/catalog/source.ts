import type { Column, Schema } from '../../types/schema.ts';

/** A stream or table as the catalog knows it: plain data, replaced and never changed. */
export interface CatalogSource {
  /** As resolved: upper case unless it was quoted. */
  readonly name: string;
  readonly type: 'stream' | 'table';
  readonly schema: Schema;
  readonly topic: string;
  /** The topic's partitions. The engine looks them up, or creates the topic, before it adds the source. */
  readonly partitions: number;
  readonly keyFormat: SideFormat;
  readonly valueFormat: SideFormat;
  /** The record keys in the topic are windowed; `sizeMs` is null for sessions. */
  readonly window: SourceWindow | null;
  /** The TIMESTAMP property: a key or value column that is the row's time, and the pattern of a STRING one. */
  readonly timestamp: SourceTimestamp | null;
  readonly statementText: string;
  /** CREATE SOURCE: read-only, and its topic is not ours to write or drop. */
  readonly sourceOnly: boolean;
  /** The query that fills it (CREATE … AS), or null for a declared one. */
  readonly createdBy: string | null;
}

export type WindowKind = 'tumbling' | 'hopping' | 'session';

export interface SourceWindow {
  readonly kind: WindowKind;
  readonly sizeMs: number | null;
}

export interface SourceTimestamp {
  readonly column: string;
  readonly format: string | null;
}

/** How one side of records is serialized. */
export interface SideFormat {
  /** Upper case, as `formatOf` knows it. */
  readonly name: string;
  readonly wrapped: boolean;
  /** DELIMITER, … without KEY_ or VALUE_. */
  readonly properties: readonly (readonly [name: string, value: string])[];
}

/** Every column a user may name of it but the pseudo columns, in the order of SELECT *. */
export function columnsOfSource(source: CatalogSource): readonly Column[] {
  return [...source.schema.key, ...source.schema.value, ...source.schema.headers];
}
