import type { ProcessorKind } from './user-processors.ts';

/** A topology of the streams library as a list of operations, and the records that flow in: all of it plain data. */
export interface LibraryCase {
  readonly seed: number;
  readonly topics: readonly CaseTopic[];
  /** Each names its inputs by the `id` of an earlier one. */
  readonly ops: readonly Op[];
  readonly inputs: readonly Input[];
  /** Whether tables are restored from the topics that they are read from, where they can be. */
  readonly reuseTopics: boolean;
}

export interface CaseTopic {
  readonly name: string;
  readonly partitions: number;
}

/** What a value is written as: UTF-8, eight bytes, or a JSON array of texts. */
export type ValueType = 'text' | 'long' | 'list';

/** Which fields are set follows from `op`. */
export interface Op {
  readonly id: string;
  readonly op: string;
  readonly in?: string;
  readonly with?: string;
  /** Of `cogroup`: the grouped streams. */
  readonly members?: readonly string[];
  readonly topic?: string;
  /** Of `stream`: another topic that it reads. */
  readonly also?: string;
  readonly partitions?: number;
  /** Of `stream`: its times are those of an extractor. */
  readonly extracts?: boolean;
  /** Of `repartition` and `to`: a partitioner says where records go. */
  readonly scatters?: boolean;
  /** What the values of the result are. */
  readonly type: ValueType;
  readonly n?: number;
  readonly mod?: number;
  readonly rem?: number;
  readonly add?: number;
  /** The name of a store; absent where a table keeps none unless it must. */
  readonly store?: string;
  /** The history of a versioned store in ms. */
  readonly history?: number;
  readonly window?: 'tumbling' | 'hopping' | 'sliding' | 'session' | 'custom';
  readonly size?: number;
  readonly advance?: number;
  readonly grace?: number;
  readonly emit?: 'update' | 'close';
  readonly aggregate?: 'count' | 'reduce' | 'aggregate';
  readonly before?: number;
  readonly after?: number;
  readonly wait?: number;
  readonly recordsMax?: number;
  readonly bytesMax?: number;
  readonly kind?: ProcessorKind;
  /** Of processors: an earlier one, whose store it uses. */
  readonly shares?: string;
  readonly every?: number;
  readonly clock?: 'stream-time' | 'wall-clock';
}

export interface Input {
  readonly topic: string;
  readonly partition: number;
  readonly key: string | null;
  readonly value: string | null;
  readonly ts: number;
  readonly headers: readonly TextHeader[];
}

export type TextHeader = readonly [name: string, value: string | null];

/** A record of an output topic; a windowed key is `key@start-end`, a value is its text. */
export type OutputRow = readonly [
  key: string | null,
  value: string | null,
  timestamp: number,
  headers: readonly TextHeader[],
];

/** Something that happened in the application, in the order in which it was committed. */
export type Step =
  | { readonly topic: string; readonly partition: number; readonly offset: number }
  /** A processor of a task was opened: its schedules begin anew. */
  | { readonly opened: string; readonly partition: number }
  /** A punctuation by the wall clock. */
  | { readonly fired: string; readonly partition: number; readonly now: number };
