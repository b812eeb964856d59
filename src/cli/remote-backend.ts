import type { Session } from '../engine/session.ts';
import type { Entity } from '../engine/result.ts';
import type { ParsedStatement } from '../sql/parser/parse.ts';
import type { Backend, Outcome, TextColumn, TextRow, TextRows } from './backend.ts';

/** Statements that only concern the session of whoever types: they never travel. */
const SESSION_KINDS = new Set(['setProperty', 'unsetProperty', 'defineVariable', 'undefineVariable', 'showVariables']);

/** A running server, over HTTP. */
export class RemoteBackend implements Backend {
  readonly description: string;
  readonly #url: string;

  private constructor(url: string, description: string) {
    this.#url = url;
    this.description = description;
  }

  /** Rejects when nothing answers at `url`. */
  static async open(url: string): Promise<RemoteBackend> {
    const base = url.replace(/\/+$/, '');
    let info: { KsqlServerInfo?: { version?: string } };
    try {
      info = (await (await fetch(`${base}/info`)).json()) as typeof info;
    } catch (error) {
      throw new Error(`no server answers at ${base}: ${causeOf(error)}`, { cause: error });
    }
    return new RemoteBackend(base, `${base} (server ${info.KsqlServerInfo?.version ?? 'of unknown version'})`);
  }

  async execute(parsed: ParsedStatement, session: Session): Promise<Outcome> {
    const { statement, resolvedText } = parsed;
    if (SESSION_KINDS.has(statement.kind)) return { kind: 'entity', entity: changeSession(parsed, session) };
    const properties = Object.fromEntries(session.properties);
    if (statement.kind === 'query' || statement.kind === 'printTopic') {
      const kind = statement.kind === 'printTopic' ? 'print' : statement.emit === null ? 'pull' : 'push';
      return { kind: 'rows', rows: await this.#rows(resolvedText, properties, kind) };
    }
    const response = await this.#post('/ksql', { ksql: resolvedText, streamsProperties: properties }, undefined);
    const entities = (await response.json()) as Entity[];
    return { kind: 'entity', entity: entities[0] ?? { '@type': 'message', message: '' } };
  }

  async names(): Promise<readonly string[]> {
    const response = await this.#post('/ksql', { ksql: 'SHOW STREAMS; SHOW TABLES;' }, undefined);
    const entities = (await response.json()) as Entity[];
    return entities.flatMap((entity) =>
      entity['@type'] === 'streams'
        ? entity.streams.map((each) => each.name)
        : entity['@type'] === 'tables'
          ? entity.tables.map((each) => each.name)
          : [],
    );
  }

  drain(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #rows(text: string, properties: object, kind: TextRows['kind']): Promise<TextRows> {
    const controller = new AbortController();
    const response = await this.#post('/query-stream', { sql: text, properties }, controller.signal);
    const lines = linesOf(response);
    const first = await lines.next();
    const header = JSON.parse(first.done === true ? '{}' : first.value) as {
      columnNames?: string[];
      columnTypes?: string[];
    };
    const columns: TextColumn[] = (header.columnNames ?? []).map((name, i) => ({
      name,
      type: header.columnTypes?.[i] ?? '',
    }));
    let end: TextRows['end'] = null;
    return {
      kind,
      columns,
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
          if (line.value.startsWith('{')) throw new Error(String((JSON.parse(line.value) as { message: string }).message));
          return [{ cells: cellsOf(line.value), tombstone: false }];
        } catch (error) {
          if (end !== null) return null;
          throw error;
        }
      },
      close() {
        end ??= 'terminated';
        controller.abort();
        return Promise.resolve();
      },
    };
  }

  async #post(path: string, body: object, signal: AbortSignal | undefined): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(this.#url + path, {
        method: 'POST',
        body: JSON.stringify(body),
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw new Error(`the server at ${this.#url} does not answer: ${causeOf(error)}`, { cause: error });
    }
    if (!response.ok) {
      const text = await response.text();
      let message = text;
      try {
        message = (JSON.parse(text) as { message: string }).message;
      } catch {
        // Not an error of ours: shown as it is.
      }
      throw new Error(message);
    }
    return response;
  }
}

function changeSession({ statement }: ParsedStatement, session: Session): Entity {
  switch (statement.kind) {
    case 'setProperty':
      session.properties.set(statement.name, statement.value);
      return { '@type': 'message', message: `${statement.name} is set to ${statement.value}` };
    case 'unsetProperty':
      session.properties.delete(statement.name);
      return { '@type': 'message', message: `${statement.name} is unset` };
    case 'defineVariable':
      session.variables.set(statement.name, statement.value);
      return { '@type': 'message', message: '' };
    case 'undefineVariable':
      session.variables.delete(statement.name);
      return { '@type': 'message', message: '' };
    default:
      return {
        '@type': 'variables',
        variables: [...session.variables].map(([name, value]) => ({ name, value })),
      };
  }
}

async function* linesOf(response: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of response.body as unknown as AsyncIterable<Uint8Array>) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
    rest = lines.pop()!;
    for (const line of lines) if (line !== '') yield line;
  }
  if (rest !== '') yield rest;
}

/** The JSON texts of a JSON array's elements, untouched: numbers keep every digit. */
export function cellsOf(array: string): string[] {
  const cells: string[] = [];
  let depth = 0;
  let start = 1;
  for (let i = 1; i < array.length - 1; i++) {
    const c = array[i]!;
    if (c === '"') {
      for (i++; array[i] !== '"'; i++) if (array[i] === '\\') i++;
    } else if (c === '[' || c === '{') depth++;
    else if (c === ']' || c === '}') depth--;
    else if (c === ',' && depth === 0) {
      cells.push(array.slice(start, i));
      start = i + 1;
    }
  }
  if (array.length > 2) cells.push(array.slice(start, array.length - 1));
  return cells;
}

function causeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
