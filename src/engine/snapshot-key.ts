/**
 * The keys of records that a snapshot of the catalog is made of. A command by itself has no key, so that a snapshot
 * is told apart from what else is in the topic, and its commands stay byte for byte as they were.
 *
 * A snapshot is a `begin`, its commands, and an `end`, in the order of their offsets. It counts when all of them are
 * there, and then takes the place of every command below `covers`.
 */
export type SnapshotKey =
  | {
      readonly part: 'begin';
      readonly snapshot: string;
      readonly format: number;
      /** Commands at or above this offset are not in the snapshot. */
      readonly covers: number;
      readonly commands: number;
      /** The number that the next name is made from. */
      readonly sequence: number;
    }
  | {
      readonly part: 'command';
      readonly snapshot: string;
      /** `LoggedCommand.id` */
      readonly id: number;
    }
  | { readonly part: 'end'; readonly snapshot: string };

export const SNAPSHOT_FORMAT = 1;

export function encodeSnapshotKey(key: SnapshotKey): Buffer {
  return Buffer.from(JSON.stringify(key));
}

/** Null for what is no such key. */
export function readSnapshotKey(bytes: Buffer): SnapshotKey | null {
  let key: Partial<Record<string, unknown>> | null;
  try {
    key = JSON.parse(bytes.toString('utf8')) as Partial<Record<string, unknown>> | null;
  } catch {
    return null;
  }
  if (typeof key !== 'object' || key === null || typeof key['snapshot'] !== 'string') return null;
  const numbers = { begin: ['format', 'covers', 'commands', 'sequence'], command: ['id'], end: [] }[
    String(key['part'])
  ];
  return numbers?.every((name) => Number.isSafeInteger(key[name])) === true
    ? (key as unknown as SnapshotKey)
    : null;
}
