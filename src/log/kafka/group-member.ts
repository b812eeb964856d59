import { sleep } from '../../common/clock.ts';
import { messageOf } from '../../common/error.ts';
import type { MembershipView, ProcessInfo } from '../membership.ts';
import { Coordinator } from './coordinator.ts';
import type { CoordinatorConnection } from './coordinator-connection.ts';
import { heartbeatRequest, joinGroupRequest, leaveGroupRequest, syncGroupRequest } from './group-requests.ts';
import type { JoinedGroup } from './group-requests.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import {
  chooseActive,
  decodeMetadata,
  decodeTable,
  encodeMetadata,
  encodeTable,
  type MembershipTable,
  type MemberMetadata,
  TABLE_PROTOCOL,
} from './membership-table.ts';
import {
  ILLEGAL_GENERATION,
  MEMBER_ID_REQUIRED,
  NONE,
  REBALANCE_IN_PROGRESS,
  UNKNOWN_MEMBER_ID,
} from './protocol-error.ts';
import { backoffMs, failureOf, RetriableError } from './retry.ts';
import { Signal } from './signal.ts';

/** Heartbeats in a session: one may be lost. */
const BEATS = 3;
const LEAVE_TIMEOUT_MS = 2_000;

export interface GroupMemberOptions {
  readonly group: string;
  readonly sessionTimeoutMs: number;
  readonly process: ProcessInfo;
  readonly sinceMs: number;
  /** See `MemberMetadata.claim`. */
  readonly claim: number | null;
}

export interface MemberListener {
  changed(view: MembershipView): void;
  /** The group has answered a question that was asked after `confirm(id)`. */
  confirmed(id: number): void;
}

/**
 * One member of a group, with heartbeats. It joins again whenever the group asks for it, and as a new member that waits when
 * the group has taken it for dead: others have been told to do its work then.
 */
export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #newCluster: () => KafkaCluster;
  readonly #connection: CoordinatorConnection;
  readonly #listener: MemberListener;
  readonly #wake = new Signal();
  readonly #closing = new AbortController();
  #process: ProcessInfo;
  #isDescribed = true;
  #claim: number | null;
  #sinceMs: number;
  #memberId = '';
  #generation = -1;
  #confirms: number[] = [];
  /** The connection over which it is joining now. */
  #joining: KafkaCluster | null = null;
  /** Settles when a member id that was asked for is there. */
  #naming: Promise<unknown> = Promise.resolve();
  readonly #ran: Promise<void>;

  constructor(
    options: GroupMemberOptions,
    newCluster: () => KafkaCluster,
    connection: CoordinatorConnection,
    listener: MemberListener,
  ) {
    this.#options = options;
    this.#newCluster = newCluster;
    this.#connection = connection;
    this.#listener = listener;
    this.#process = options.process;
    this.#claim = options.claim;
    this.#sinceMs = options.sinceMs;
    this.#ran = this.#run();
  }

  /** The others are told anew who this is. */
  describe(process: ProcessInfo): void {
    this.#process = process;
    this.#isDescribed = false;
    this.#wake.notify();
  }

  confirm(id: number): void {
    this.#confirms.push(id);
    this.#wake.notify();
  }

  /** Tells the group, so that nobody waits for this member. */
  async leave(): Promise<void> {
    this.#closing.abort();
    this.#wake.notify();
    const { clock } = this.#connection;
    // An id that is on its way would be waited for by the group.
    await Promise.race([this.#naming, sleep(clock, LEAVE_TIMEOUT_MS)]);
    if (this.#memberId !== '')
      await this.#connection
        .send(this.#options.group, leaveGroupRequest(this.#options.group, [this.#memberId]), LEAVE_TIMEOUT_MS)
        .catch(() => undefined);
    await this.#joining?.close();
    await this.#ran;
  }

  get #isLeaving(): boolean {
    return this.#closing.signal.aborted;
  }

  async #run(): Promise<void> {
    const { clock, logger } = this.#connection;
    for (let failures = 0; !this.#isLeaving;) {
      try {
        if (!(await this.#join())) continue;
        failures = 0;
        await this.#beat();
      } catch (error) {
        if (this.#isLeaving) return;
        failures++;
        if (!(error instanceof RetriableError) || failures === 10)
          logger.warn(
            { group: this.#options.group, error: messageOf(error) },
            'the group that says who is active cannot be joined; it is tried again',
          );
        const restMs = backoffMs(error instanceof RetriableError ? failures : 10);
        await sleep(clock, restMs, this.#closing.signal);
      }
    }
  }

  /** Returns whether it is a member now; if not, it is worth another try at once. */
  async #join(): Promise<boolean> {
    const { group } = this.#options;
    // A join is answered when all others have joined too, and whatever came behind it on its connection would wait so long.
    const cluster = this.#newCluster();
    this.#joining = cluster;
    try {
      const coordinator = new Coordinator(cluster, 'group', group);
      const joined = await this.#joinAt(coordinator);
      if (joined === null || this.#isLeaving) return false;
      const assignments = joined.leader === joined.memberId ? this.#assign(joined) : [];
      const { code, assignment } = await coordinator.send(
        syncGroupRequest(group, joined.memberId, joined.generation, assignments),
        noCheck,
      );
      if (code === REBALANCE_IN_PROGRESS) return false;
      if (this.#isOut(code)) return false;
      if (code !== NONE) throw failureOf(code, `joining group ${group}`);
      this.#generation = joined.generation;
      this.#settle(decodeTable(assignment));
      return true;
    } finally {
      this.#joining = null;
      await cluster.close();
    }
  }

  async #joinAt(coordinator: Coordinator): Promise<JoinedGroup | null> {
    const { group, sessionTimeoutMs } = this.#options;
    const metadata: MemberMetadata = {
      ...this.#process,
      claim: this.#claim,
      sinceMs: this.#sinceMs,
    };
    this.#isDescribed = true;
    const ask = (): Promise<JoinedGroup> =>
      coordinator.send(
        joinGroupRequest(group, this.#memberId, {
          sessionTimeoutMs,
          rebalanceTimeoutMs: sessionTimeoutMs,
          protocol: TABLE_PROTOCOL,
          metadata: encodeMetadata(metadata),
        }),
        noCheck,
      );
    if (this.#memberId === '') {
      const named = ask();
      this.#naming = named.then(
        (answer) => {
          if (answer.code === MEMBER_ID_REQUIRED || answer.code === NONE) this.#memberId = answer.memberId;
        },
        () => undefined,
      );
      const answer = await named;
      await this.#naming;
      if (answer.code !== MEMBER_ID_REQUIRED) return this.#checked(answer);
      if (this.#isLeaving) return null;
    }
    return this.#checked(await ask());
  }

  #checked(answer: JoinedGroup): JoinedGroup | null {
    const { code } = answer;
    if (code === REBALANCE_IN_PROGRESS || this.#isOut(code)) return null;
    if (code !== NONE) throw failureOf(code, `joining group ${this.#options.group}`);
    this.#memberId = answer.memberId;
    return answer;
  }

  #assign({ members }: JoinedGroup): { memberId: string; assignment: Buffer }[] {
    const known = members.flatMap(({ memberId, metadata }) => {
      const decoded = decodeMetadata(metadata);
      return decoded === null ? [] : [{ ...decoded, memberId }];
    });
    const assignment = encodeTable({ active: chooseActive(known), members: known });
    return members.map(({ memberId }) => ({ memberId, assignment }));
  }

  #settle(table: MembershipTable | null): void {
    const active = table?.members.find(({ memberId }) => memberId === table.active) ?? null;
    const isActive = active !== null && active.memberId === this.#memberId;
    this.#claim = isActive ? (this.#claim ?? this.#generation) : null;
    this.#listener.changed({
      isActive,
      active: active === null ? null : infoOf(active),
      claim: this.#claim,
      members: (table?.members ?? []).map(infoOf),
      member: { id: this.#memberId, generation: this.#generation },
    });
  }

  /** Until it has to join again. */
  async #beat(): Promise<void> {
    const { group, sessionTimeoutMs } = this.#options;
    const { clock } = this.#connection;
    const everyMs = sessionTimeoutMs / BEATS;
    let waitMs = everyMs;
    for (let failures = 0; ;) {
      if (this.#confirms.length === 0) await this.#wake.wait(clock, waitMs);
      if (this.#isLeaving || !this.#isDescribed) return;
      const asked = this.#confirms;
      this.#confirms = [];
      let code: number;
      try {
        const beat = heartbeatRequest(group, this.#memberId, this.#generation);
        code = await this.#connection.send(group, beat, everyMs);
        if (code !== NONE && code !== REBALANCE_IN_PROGRESS && !isOutside(code))
          throw failureOf(code, `telling group ${group} of this process`);
      } catch (error) {
        this.#connection.forget(group);
        this.#confirms.unshift(...asked);
        if (!(error instanceof RetriableError)) throw error;
        // What waits for an answer must not make this a loop that never rests.
        await sleep(clock, Math.min(everyMs, backoffMs(++failures)), this.#closing.signal);
        waitMs = 0;
        continue;
      }
      failures = 0;
      waitMs = everyMs;
      if (code !== NONE) {
        this.#confirms.unshift(...asked);
        this.#isOut(code);
        return;
      }
      for (const id of asked) this.#listener.confirmed(id);
    }
  }

  /** Whether the group no longer knows this member: then it is a new one from now on, and waits. */
  #isOut(code: number): boolean {
    if (!isOutside(code)) return false;
    if (code === UNKNOWN_MEMBER_ID) this.#memberId = '';
    const wasIn = this.#generation >= 0 || this.#claim !== null;
    this.#generation = -1;
    this.#claim = null;
    // Others that wait come before one that was silent.
    this.#sinceMs = this.#connection.clock.now();
    if (wasIn)
      this.#listener.changed({ isActive: false, active: null, claim: null, members: [], member: null });
    return true;
  }
}

function isOutside(code: number): boolean {
  return code === UNKNOWN_MEMBER_ID || code === ILLEGAL_GENERATION;
}

function infoOf({ id, label, address }: ProcessInfo): ProcessInfo {
  return { id, label, address };
}

/** What the answers say is looked at where they are used. */
function noCheck(): void {}
