import type { ProtocolRequest } from './kafkajs-parts.ts';
import type { ProtocolReader } from './protocol-reader.ts';
import type { ProtocolWriter } from './protocol-writer.ts';
import { protocolRequest } from './protocol-request.ts';

/**
 * The requests of a group's members (the classic protocol, https://kafka.apache.org/protocol#protocol_api_keys), each in the
 * newest version before the compact encodings. All go to the group's coordinator; codes are handed on as numbers.
 */

/** What a member tells its group's leader, and what that tells a member, is the protocol's own business. */
const PROTOCOL_TYPE = 'millrace';

function writeBlock(w: ProtocolWriter, bytes: Buffer): void {
  w.int32(bytes.length);
  w.writeBytes(bytes);
}

function readBlock(r: ProtocolReader): Buffer {
  const size = Math.max(0, r.int32());
  const start = r.at;
  r.at += size;
  if (r.at > r.buffer.length) throw new RangeError('the response ends within a block of bytes');
  return Buffer.from(r.buffer.subarray(start, r.at));
}

export interface JoinedMember {
  readonly memberId: string;
  readonly metadata: Buffer;
}

export interface JoinedGroup {
  readonly code: number;
  readonly generation: number;
  readonly leader: string;
  readonly memberId: string;
  /** For the leader; empty for all others. */
  readonly members: readonly JoinedMember[];
}

/**
 * Answered when all members have joined anew, or their time to do so is over. A member without an id is first given one (error
 * code 79, KIP-394), to join with.
 */
export function joinGroupRequest(
  group: string,
  memberId: string,
  options: {
    readonly sessionTimeoutMs: number;
    readonly rebalanceTimeoutMs: number;
    readonly protocol: string;
    readonly metadata: Buffer;
  },
): ProtocolRequest<JoinedGroup> {
  return protocolRequest(
    { key: 11, version: 5, name: 'JoinGroup' },
    (w) => {
      w.string(group).int32(options.sessionTimeoutMs).int32(options.rebalanceTimeoutMs);
      w.string(memberId).string(null).string(PROTOCOL_TYPE);
      w.array([options.metadata], (metadata) => {
        w.string(options.protocol);
        writeBlock(w, metadata);
      });
    },
    (r) => {
      const head = { code: r.int16(), generation: r.int32() };
      r.nullableString(); // protocol
      const leader = r.string();
      const given = r.string();
      const members = r.array(() => {
        const id = r.string();
        r.nullableString(); // instance
        return { memberId: id, metadata: readBlock(r) };
      });
      return { ...head, leader, memberId: given, members };
    },
    { timeoutMs: options.rebalanceTimeoutMs + 30_000 },
  );
}

export interface MemberAssignment {
  readonly memberId: string;
  readonly assignment: Buffer;
}

/** Answered when the leader has sent the assignments; the others send none. */
export function syncGroupRequest(
  group: string,
  memberId: string,
  generation: number,
  assignments: readonly MemberAssignment[],
): ProtocolRequest<{ readonly code: number; readonly assignment: Buffer }> {
  return protocolRequest(
    { key: 14, version: 3, name: 'SyncGroup' },
    (w) => {
      w.string(group).int32(generation).string(memberId).string(null);
      w.array(assignments, (each) => {
        w.string(each.memberId);
        writeBlock(w, each.assignment);
      });
    },
    (r) => ({ code: r.int16(), assignment: readBlock(r) }),
  );
}

/** Resolves to its error code. */
export function heartbeatRequest(
  group: string,
  memberId: string,
  generation: number,
): ProtocolRequest<number> {
  return protocolRequest(
    { key: 12, version: 3, name: 'Heartbeat' },
    (w) => void w.string(group).int32(generation).string(memberId).string(null),
    (r) => r.int16(),
  );
}

/** Takes members out of the group, whoever they are. Resolves to its error code; those of single members are left unread. */
export function leaveGroupRequest(group: string, memberIds: readonly string[]): ProtocolRequest<number> {
  return protocolRequest(
    { key: 13, version: 3, name: 'LeaveGroup' },
    (w) => void w.string(group).array(memberIds, (memberId) => void w.string(memberId).string(null)),
    (r) => r.int16(),
  );
}

export interface DescribedGroup {
  readonly code: number;
  /** `Empty`, `Stable`, `PreparingRebalance`, `CompletingRebalance`, `Dead`. */
  readonly state: string;
  readonly members: readonly {
    readonly memberId: string;
    readonly clientId: string;
    /** Empty unless the group is `Stable`. */
    readonly assignment: Buffer;
  }[];
}

export function describeGroupRequest(group: string): ProtocolRequest<DescribedGroup> {
  return protocolRequest(
    { key: 15, version: 3, name: 'DescribeGroups' },
    (w) => void w.array([group], (each) => void w.string(each)).boolean(false),
    (r) =>
      r.array(() => {
        const code = r.int16();
        r.string(); // group
        const state = r.string();
        r.string(); // protocol type
        r.string(); // protocol
        const members = r.array(() => {
          const member = { memberId: r.string(), clientId: r.string() };
          r.string(); // host
          readBlock(r); // metadata
          return { ...member, assignment: readBlock(r) };
        });
        r.int32(); // authorized operations
        return { code, state, members };
      })[0] ?? { code: -1, state: 'Dead', members: [] },
  );
}
