import type { IncomingMessage } from 'node:http';
import type { Entity } from '../../engine/result.ts';
import type { Session } from '../../engine/session.ts';
import { type CatalogKey, droppedBy } from '../../engine/statements/names.ts';
import { definitionOf } from '../../engine/statements/statements.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';
import {
  type Backend,
  type Outcome,
  ServerError,
  type TextColumn,
  type TextRow,
  type TextRows,
} from './backend.ts';
import { cellsOf } from './cells-of.ts';
import { linesOf, request, textOf } from './http-request.ts';

/** A removal from a table, among rows that are arrays. */
const REMOVED = /^\{"row":\{"columns":(\[.*\]),"tombstone":true\}\}$/;

/** A running server, over HTTP. */
export class RemoteBackend implements Backend {
  readonly description: string;
  readonly #url: string;

  /** The ASSERT VALUES that held, by source. */
  readonly #held = new Map<CatalogKey, readonly string[]>();

  private constructor(url: string, description: string) {
    this.#url = url;
    this.description = description;
  }

  /** Rejects when nothing answers at `url`. */
  static async open(url: string): Promise<RemoteBackend> {
    const base = url.replace(/\/+$/, '');
    try {
      const answer = await textOf(await request('GET', `${base}/info`, null));
      const { KsqlServerInfo } = JSON.parse(answer) as { KsqlServerInfo?: { version?: string } };
      return new RemoteBackend(base, `${base} (server ${KsqlServerInfo?.version ?? 'of unknown version'})`);
    } catch (error) {
      throw new ServerError(`no server answers at ${base}: ${messageOf(error)}`);
    }
  }

  async execute(parsed: ParsedStatement, session: Session): Promise<Outcome> {
    const { statement, resolvedText } = parsed;
    const definition = definitionOf(statement);
    // Statements about the session alone run here, where the session is.
    if (definition.effect === 'session')
      return { kind: 'entity', entity: definition.run(statement, session) };
    const properties = Object.fromEntries(session.properties);
    if (definition.gives !== undefined)
      return {
        kind: 'rows',
        rows: await this.#rows(resolvedText, properties, definition.gives(statement).kind),
      };
    // A request knows nothing of the one before: what held comes first, so that the next record is the next.
    const source = definition.takesRecordOf?.(statement);
    const held = source === undefined ? [] : (this.#held.get(source) ?? []);
    const entities = await this.#entities([...held, resolvedText].join('\n'), properties);
    if (source !== undefined) this.#held.set(source, [...held, resolvedText]);
    const dropped = droppedBy(statement);
    if (dropped !== null) this.#held.delete(dropped);
    return { kind: 'entity', entity: entities[0] ?? { '@type': 'message', message: '' } };
  }

  async names(): Promise<readonly string[]> {
    const entities = await this.#entities('SHOW STREAMS; SHOW TABLES;', {});
    return entities.flatMap((entity) => {
      if (entity['@type'] === 'streams') return entity.streams.map((each) => each.name);
      return entity['@type'] === 'tables' ? entity.tables.map((each) => each.name) : [];
    });
  }

  /** A server is shared: nobody waits there for what others write. */
  drain(): Promise<void> {
    return Promise.resolve();
  }

  settle(): Promise<boolean> {
    return Promise.resolve(true);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #entities(ksql: string, streamsProperties: object): Promise<readonly Entity[]> {
    return JSON.parse(await textOf(await this.#post('/ksql', { ksql, streamsProperties }))) as Entity[];
  }

  async #rows(sql: string, properties: object, kind: TextRows['kind']): Promise<TextRows> {
    const controller = new AbortController();
    const lines = linesOf(
      await this.#post('/query-stream', { sql, properties, tombstones: true }, controller.signal),
    );
    const first = await lines.next();
    const header = JSON.parse(first.done === true ? '{}' : first.value) as {
      columnNames?: string[];
      columnTypes?: string[];
      tombstones?: boolean;
    };
    const columns: TextColumn[] = (header.columnNames ?? []).map((name, i) => ({
      name,
      type: header.columnTypes?.[i] ?? '',
    }));
    let end: TextRows['end'] = null;
    return {
      kind,
      columns,
      removes: header.tombstones === true,
      get end() {
        return end;
      },
      async next(): Promise<readonly TextRow[] | null> {
        try {
          const line = await lines.next();
          if (line.done === true) {
            end ??= 'complete';
            return null;
          }
          const removed = REMOVED.exec(line.value)?.[1];
          if (removed !== undefined) return [{ cells: cellsOf(removed), tombstone: true }];
          // Rows are arrays; any other object is what went wrong on the way.
          if (line.value.startsWith('{'))
            throw new ServerError((JSON.parse(line.value) as { message: string }).message);
          return [{ cells: cellsOf(line.value), tombstone: false }];
        } catch (error) {
          if (end !== null) return null;
          if (error instanceof ServerError) throw error;
          throw new ServerError(`the connection to the server broke: ${messageOf(error)}`);
        }
      },
      close() {
        end ??= 'terminated';
        controller.abort();
        return Promise.resolve();
      },
    };
  }

  async #post(path: string, body: object, signal?: AbortSignal): Promise<IncomingMessage> {
    let response: IncomingMessage;
    try {
      response = await request('POST', this.#url + path, body, signal);
    } catch (error) {
      throw new ServerError(`the server at ${this.#url} does not answer: ${messageOf(error)}`);
    }
    if (response.statusCode === 200) return response;
    const text = await textOf(response);
    let message: unknown;
    try {
      ({ message } = JSON.parse(text) as { message?: unknown });
    } catch {
      // Not an answer of ours: shown as it is.
    }
    throw new ServerError(typeof message === 'string' ? message : text);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof AggregateError) return error.errors.map(messageOf).join(', ');
  return error instanceof Error ? error.message : String(error);
}
