/** A case of the streams oracle: a topology as a list of operations, and the records that flow in. */
export interface OracleCase {
  readonly id: number;
  readonly optimize?: boolean;
  /** Partitions of every topic; 1 where it is absent. */
  readonly partitions?: number;
  /** Each names its inputs by the `id` of an earlier one. */
  readonly ops: readonly Op[];
  readonly inputs: readonly Input[];
}

export interface Op {
  readonly id?: string;
  readonly op: string;
  readonly in?: string;
  readonly with?: string;
  readonly topic?: string;
  readonly n?: number;
  readonly mod?: number;
  readonly rem?: number;
  readonly add?: number;
  readonly window?: 'tumbling' | 'hopping' | 'sliding' | 'session';
  readonly size?: number;
  readonly advance?: number;
  readonly grace?: number;
  readonly emit?: 'update' | 'close';
  readonly suppress?: boolean;
  readonly before?: number;
  readonly after?: number;
}

/** A record, or a step of the wall clock by `wall` ms. */
export interface Input {
  readonly topic?: string;
  readonly key?: string | null;
  readonly value?: number | null;
  readonly ts?: number;
  readonly wall?: number;
}

export type OutputRow = readonly [key: string | null, value: number | null, timestamp: number];
