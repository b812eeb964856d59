import type { Entity } from '../../engine/result.ts';
import type { Session } from '../../engine/session.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';

/** An error from a server, in words that are ready to be shown. */
export class ServerError extends Error {
  override readonly name = 'ServerError';
}

/** What the command line talks to: the engine in this process, or a server. */
export interface Backend {
  /** One line about where statements go, for the REPL's banner. */
  readonly description: string;
  /** Throws `SqlError`, whose span counts from the start of the statement's text, or `ServerError`. */
  execute(statement: ParsedStatement, session: Session): Promise<Outcome>;
  /** Names worth completing: streams, tables and, of an engine in this process, functions. */
  names(): Promise<readonly string[]>;
  /** Resolves when the persistent queries have processed all that their sources held. */
  drain(): Promise<void>;
  /** Resolves when they have processed the rows that were inserted through this, or after a while without: to false. */
  settle(): Promise<boolean>;
  close(): Promise<void>;
}

export type Outcome =
  | { readonly kind: 'entity'; readonly entity: Entity }
  | { readonly kind: 'rows'; readonly rows: TextRows };

/** Rows as they are shown: every cell is the JSON text of its value, so that nothing is rounded on the way. */
export interface TextRows {
  readonly kind: 'push' | 'pull' | 'print';
  readonly columns: readonly TextColumn[];
  /** Rows may be removals from a table. */
  readonly removes: boolean;
  /** At least one row, or null at the end. */
  next(): Promise<readonly TextRow[] | null>;
  readonly end: 'limit' | 'complete' | 'terminated' | null;
  close(): Promise<void>;
}

export interface TextColumn {
  readonly name: string;
  /** SQL text of the type. */
  readonly type: string;
}

export interface TextRow {
  readonly cells: readonly string[];
  readonly tombstone: boolean;
}

/** A cell for people: strings without quotes, everything else as JSON has it. */
export function displayCell(json: string): string {
  return json.startsWith('"') ? (JSON.parse(json) as string) : json;
}
