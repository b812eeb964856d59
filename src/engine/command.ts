import { isStoredProperties, isStoredQuery, type StoredQuery } from './stored-query.ts';

/** A statement that changed the catalog, as it was executed. Replayed in order when the engine opens. */
export interface Command {
  /**
   * 2 where `dismisses` is given, 3 where `query` is: releases that do not know it must not replay the command.
   */
  readonly version: 1 | 2 | 3;
  /** Empty: nothing but `dismisses`. */
  readonly statement: string;
  /** The properties that held for it: the session's over the system's. */
  readonly properties: Readonly<Record<string, string>>;
  /** The number that names made from it (`CTAS_X_<n>`). */
  readonly sequence: number;
  /** The query that it goes on with, where it replaced one: it is then complete without what it replaced. */
  readonly queryId?: string;
  /** The query that runs for it. Commands of versions before 3 have none, and are planned by the release that replays them. */
  readonly query?: StoredQuery;
  /** Commands that could not be replayed and were given up, by `LoggedCommand.id`. */
  readonly dismisses?: readonly number[];
}

/** Below what a log takes as one record, so that a snapshot of it, which says a little more, fits too. */
export const COMMAND_BYTES_MAX = 800_000;

/** The last version that this release can read. */
const VERSION_MAX = 3;

/** A command in the log, or a record in its place that cannot be read as one. */
export interface LoggedCommand {
  /** The offset that it was first written at: its name, also after it was copied. */
  readonly id: number;
  /** As it is in the log; kept whole whatever it is. */
  readonly value: Buffer;
  readonly command: Command | null;
  /** Why there is no command. */
  readonly fault: string | null;
}

export function encodeCommand(command: Command): Buffer {
  return Buffer.from(JSON.stringify(command));
}

/** Never throws: anybody who may write the topic may have written anything. */
export function readCommand(id: number, value: Buffer): LoggedCommand {
  const unreadable = (fault: string): LoggedCommand => ({ id, value, command: null, fault });
  let parsed: unknown;
  try {
    parsed = JSON.parse(value.toString('utf8'));
  } catch {
    return unreadable('the record is no command');
  }
  if (typeof parsed !== 'object' || parsed === null) return unreadable('the record is no command');
  const { version, statement, properties, sequence, queryId, query, dismisses } = parsed as Partial<Command>;
  if (typeof version === 'number' && version > VERSION_MAX)
    return unreadable(`the command was written by a later release (version ${version as number})`);
  const isCommand =
    (version === 1 || version === 2 || version === 3) &&
    typeof statement === 'string' &&
    isStoredProperties(properties) &&
    Number.isSafeInteger(sequence) &&
    sequence! >= 0 &&
    (queryId === undefined || typeof queryId === 'string') &&
    (query === undefined || isStoredQuery(query)) &&
    (dismisses === undefined || (Array.isArray(dismisses) && dismisses.every(Number.isSafeInteger)));
  if (!isCommand) return unreadable('the record is no command');
  return { id, value, command: parsed as Command, fault: null };
}
