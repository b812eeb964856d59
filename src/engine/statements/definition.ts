import type { StatementKind, StatementOf } from '../../sql/parser/ast.ts';
import type { StatementCall } from '../engine.ts';
import type { Entity, RowStream } from '../result.ts';
import type { Session } from '../session.ts';
import type { CatalogKey } from './names.ts';

/**
 * What there is to know about a kind of statement, told once: the engine, the server, the command line and the test runner
 * all ask it. `run` rejects with `SqlError` before anything has changed.
 */
export type StatementDefinition<K extends StatementKind> =
  | SessionStatement<K>
  | EntityStatement<K>
  | RowsStatement<K>;

interface Traits<K extends StatementKind> {
  /** Whether queries end with it: they get the rows that were inserted before it. Default: none does. */
  endsQueries?(statement: StatementOf<K>): boolean;
  /** The topic that it declares or makes; null for none. Default: none. */
  topic?(statement: StatementOf<K>): StatementTopic | null;
  /** The source whose next record it takes, behind those that earlier statements of its session took. Default: none. */
  takesRecordOf?(statement: StatementOf<K>): CatalogKey;
}

/** Reads or changes the sender's session, and nothing else: it needs no engine. */
export interface SessionStatement<K extends StatementKind> extends Traits<K> {
  readonly effect: 'session';
  readonly gives?: undefined;
  run(statement: StatementOf<K>, session: Session): Entity;
}

/** Has one answer. */
export interface EntityStatement<K extends StatementKind> extends Traits<K> {
  /**
   * - `reads`: nothing is changed, so it waits for no other statement.
   * - `catalog`: changes what the service has, one statement after another. It is kept, and replayed at the next start.
   * - `records`: writes records, in its turn as those of `catalog` have theirs. Who runs it twice has written them twice.
   */
  readonly effect: 'reads' | 'catalog' | 'records';
  readonly gives?: undefined;
  run(statement: StatementOf<K>, call: StatementCall): Promise<Entity> | Entity;
}

/** Has rows that come one after another. */
export interface RowsStatement<K extends StatementKind> extends Traits<K> {
  readonly effect: 'reads';
  gives(statement: StatementOf<K>): ExpectedRows;
  run(statement: StatementOf<K>, call: StatementCall): Promise<RowStream>;
}

/** What is known of rows before their statement runs. */
export interface ExpectedRows {
  readonly kind: RowStream['kind'];
  /** They come until the client or a statement ends them. */
  readonly isEndless: boolean;
}

export interface StatementTopic {
  readonly name: string;
  /** It declares what is there, and does not make it. */
  readonly isDeclared: boolean;
  /** Null: it does not say. */
  readonly partitions: number | null;
}
