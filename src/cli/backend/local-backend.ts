import type { Engine } from '../../engine/engine.ts';
import type { RowStream } from '../../engine/result.ts';
import type { Script } from '../../engine/script.ts';
import type { Session } from '../../engine/session.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';
import { jsonText } from '../../types/json-value.ts';
import { printType } from '../../types/print-type.ts';
import type { Backend, Outcome, TextRow, TextRows } from './backend.ts';

/** The engine in this process. */
export class LocalBackend implements Backend {
  readonly description: string;
  readonly #engine: Engine;

  constructor(engine: Engine, description: string) {
    this.#engine = engine;
    this.description = description;
  }

  async execute(statement: ParsedStatement, session: Session, script?: Script): Promise<Outcome> {
    const result = await this.#engine.execute(statement, session, script);
    return result.kind === 'entity' ? result : { kind: 'rows', rows: textRows(result.rows) };
  }

  names(): Promise<readonly string[]> {
    return this.#engine.names();
  }

  drain(): Promise<void> {
    return this.#engine.drain();
  }

  settle(): Promise<boolean> {
    return this.#engine.settle();
  }

  close(): Promise<void> {
    return this.#engine.close();
  }
}

function textRows(rows: RowStream): TextRows {
  const texts = rows.columns.map((column) => jsonText(column.type));
  return {
    kind: rows.kind,
    removes: rows.removes === true,
    columns: rows.columns.map((column) => ({ name: column.name, type: printType(column.type) })),
    async next(): Promise<readonly TextRow[] | null> {
      const batch = await rows.next();
      if (batch === null) return null;
      return batch.rows.map((row, i) => ({
        cells: texts.map((text, c) => text(row[c] ?? null)),
        tombstone: batch.tombstones?.[i] ?? false,
      }));
    },
    get end() {
      return rows.end;
    },
    close: () => rows.close(),
  };
}
