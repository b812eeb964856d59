import type { ProcessInfo } from '../membership.ts';

/**
 * What members tell the leader of their group, and what that tells all of them, as JSON with a version. A later release may
 * give work out in parts: it adds to these texts, and raises the version when the others could not go on with them.
 */

/** The name of the protocol under which members agree on these texts. */
export const TABLE_PROTOCOL = 'millrace-1';
const VERSION = 1;

/** A process that is in the group, or joins it. */
export interface MemberMetadata extends ProcessInfo {
  /** Since when it has been active, as a generation of its group, and 0 for before the first one; null while it waits. */
  readonly claim: number | null;
  /** When it began to wait, by its own clock: who has waited longest is preferred, and no more than that. */
  readonly sinceMs: number;
}

export interface TableMember extends MemberMetadata {
  readonly memberId: string;
}

/** Who is in the group, and which of them should be active. */
export interface MembershipTable {
  /** A member's id, or null where no member can be. */
  readonly active: string | null;
  readonly members: readonly TableMember[];
}

export function encodeMetadata(metadata: MemberMetadata): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, ...metadata }));
}

/** Null for what another release or another program has written. */
export function decodeMetadata(bytes: Buffer): MemberMetadata | null {
  const parsed = parse(bytes);
  return isMetadata(parsed) && parsed.version === VERSION ? metadataOf(parsed) : null;
}

/**
 * The leader's decision. Who says that it is active stays so, the latest if several do: then the others were taken for dead.
 * Else the one that has waited longest. A member that cannot be understood is never active.
 */
export function chooseActive(members: readonly TableMember[]): string | null {
  const preferred = [...members].sort(
    (a, b) =>
      (b.claim ?? -1) - (a.claim ?? -1) ||
      a.sinceMs - b.sinceMs ||
      (a.id < b.id ? -1 : a.id > b.id ? 1 : a.memberId < b.memberId ? -1 : 1),
  );
  return preferred[0]?.memberId ?? null;
}

export function encodeTable(table: MembershipTable): Buffer {
  return Buffer.from(JSON.stringify({ version: VERSION, ...table }));
}

/** Null for what another release or another program has written. */
export function decodeTable(bytes: Buffer): MembershipTable | null {
  const parsed = parse(bytes) as (Partial<MembershipTable> & { readonly version?: unknown }) | null;
  if (parsed?.version !== VERSION) return null;
  const { active, members } = parsed;
  if ((active !== null && typeof active !== 'string') || !Array.isArray(members)) return null;
  const isMember = (each: unknown): each is TableMember =>
    isMetadata(each) && typeof (each as Partial<TableMember>).memberId === 'string';
  if (!members.every(isMember)) return null;
  return {
    active,
    members: members.map((each) => ({ ...metadataOf(each), memberId: each.memberId })),
  };
}

function parse(bytes: Buffer): object | null {
  try {
    const parsed: unknown = JSON.parse(bytes.toString());
    return typeof parsed === 'object' ? parsed : null;
  } catch {
    return null;
  }
}

function isMetadata(value: unknown): value is MemberMetadata & { readonly version?: unknown } {
  if (typeof value !== 'object' || value === null) return false;
  const { id, label, address, claim, sinceMs } = value as Partial<MemberMetadata>;
  return (
    typeof id === 'string' &&
    typeof label === 'string' &&
    (address === null || typeof address === 'string') &&
    (claim === null || typeof claim === 'number') &&
    typeof sinceMs === 'number'
  );
}

function metadataOf({ id, label, address, claim, sinceMs }: MemberMetadata): MemberMetadata {
  return { id, label, address, claim, sinceMs };
}
