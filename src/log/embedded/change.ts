/** The changes that a journal records, one in each frame. */

/** Steps that take effect together, and the bytes of their appends in the same order. */
export interface Change {
  readonly operations: readonly Operation[];
  readonly batches: readonly Buffer[];
}

/** One step of a change. Topics go by id, so that a topic created again under its name is another. */
export type Operation =
  | {
      readonly op: 'create';
      readonly id: number;
      readonly name: string;
      readonly partitions: number;
      readonly configs: Configs;
    }
  | { readonly op: 'delete'; readonly id: number }
  // Where its offsets exist already, the batch replaces those that had them.
  | {
      readonly op: 'append';
      readonly id: number;
      readonly partition: number;
      readonly base: number;
      readonly last: number;
      readonly max: number;
      readonly size: number;
    }
  | { readonly op: 'trim'; readonly id: number; readonly partition: number; readonly start: number }
  | { readonly op: 'offsets'; readonly group: string; readonly offsets: readonly CommittedRow[] }
  // `closed`: the closed segments that there are; absent in the format before it.
  | { readonly op: 'state'; readonly state: StateSnapshot; readonly closed?: readonly SegmentSeal[] };

export type Configs = Readonly<Record<string, string>>;

/** topic, partition, offset (null removes it), metadata */
export type CommittedRow = readonly [
  topic: string,
  partition: number,
  offset: number | null,
  metadata: string,
];

/** Everything but the batches. */
export interface StateSnapshot {
  readonly nextTopicId: number;
  readonly topics: readonly {
    readonly id: number;
    readonly name: string;
    readonly configs: Configs;
    /** start and next offset of each */
    readonly partitions: readonly (readonly [start: number, next: number])[];
  }[];
  readonly groups: readonly { readonly group: string; readonly offsets: readonly CommittedRow[] }[];
}

/** How the newest segment knows a closed one: a file that is another, or shorter or longer, does not pass. */
export type SegmentSeal = readonly [number: number, sizeBytes: number, lastBytes: number];
