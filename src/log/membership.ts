/**
 * Who of several processes should do a work: processes that share it join a group, and the group names one of them. It only
 * says who should try. That two do not write at once is the log's own doing (transactional ids), never the group's.
 */

/** A process, as the others of its group see it. */
export interface ProcessInfo {
  readonly id: string;
  /** Which one it is, in words: `process 12 on host a`. */
  readonly label: string;
  /** The URL at which it is reached; null where it cannot be. */
  readonly address: string | null;
}

/** What a process knows of its group. A new one is made whenever something changes. */
export interface MembershipView {
  /** Whether this process should do the work. */
  readonly isActive: boolean;
  /** Who should do it, as far as is known. */
  readonly active: ProcessInfo | null;
  /** Since when this one should: later ones have larger numbers. Null while it should not. */
  readonly claim: number | null;
  /** All of the group; empty while this process is not in it. */
  readonly members: readonly ProcessInfo[];
  /** By what the group knows this process; null while it is not in it. */
  readonly member: GroupMemberId | null;
}

export interface GroupMemberId {
  readonly id: string;
  readonly generation: number;
}

export interface MembershipOptions {
  readonly group: string;
  /** After such a silence the group takes a process for dead. */
  readonly sessionTimeoutMs: number;
  readonly process: ProcessInfo;
  /**
   * That this process should do the work already, since then. Left out: it should while it joins, when nobody is in the group,
   * so that one that is alone need not wait until the group has settled, which takes Kafka 3 s.
   */
  readonly claim?: number;
  readonly onChange: (view: MembershipView) => void;
}

/** As whom a writer commits offsets to a group that has members: nobody else may. */
export interface GroupCommitter {
  /** Resolves when what other members have committed so far is all that they will. Throws `LogError` `fenced`. */
  ready(): Promise<void>;
  /** Whom to commit as; waits until the group has settled. Throws `LogError` `fenced` when another member is active. */
  member(): Promise<GroupMemberId>;
}

/** A process's place in a group. It is kept by a thread of its own, however busy this one is. */
export interface Membership extends GroupCommitter {
  readonly view: MembershipView;
  /** The others learn of a new address. */
  advertise(address: string): void;
  /** Resolves when the group has answered a question that was asked after this call; then `view` is as new. */
  confirmed(): Promise<void>;
  /** Leaves, so that another takes over at once. */
  leave(): Promise<void>;
}
