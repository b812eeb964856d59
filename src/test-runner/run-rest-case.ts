import type { Engine } from '../engine/engine.ts';
import { SqlError } from '../common/error.ts';
import { nextTurn } from '../common/clock.ts';
import { type JsonNode, parseJson } from '../types/json-node.ts';
import { type ParsedStatement, parseStatements } from '../sql/parser/parse.ts';
import { unfinished } from '../sql/parser/split-statements.ts';
import type { RestExpectations, TestCase } from './case.ts';
import { compareOutput } from './compare-output.ts';
import { createTopics } from './create-topics.ts';
import { matchResponses, type RestResponse } from './match-responses.ts';
import { openTestEngine } from './open-test-engine.ts';
import type { RunCaseOptions } from './run-case.ts';
import { recordsOf } from './topic-records.ts';
import { writeRecords } from './write-records.ts';

/** Serves an engine on a free port of this machine. */
export type Serve = (engine: Engine) => Promise<{ readonly port: number; close(): Promise<void> }>;

/**
 * Runs a case over HTTP: the administrative statements as one request, the inputs, then each query as a request of
 * its own. Returns null when the server answered as it should, else how not.
 */
export async function runRestCase(
  test: TestCase,
  expected: RestExpectations,
  serve: Serve,
  options: RunCaseOptions,
): Promise<string | null> {
  const { clock, functions } = options;
  const engine = await openTestEngine(clock, functions === undefined ? {} : { functions });
  try {
    const server = await serve(engine);
    try {
      return await new RestRun(test, expected, engine, `http://127.0.0.1:${server.port}`, options).run();
    } finally {
      await server.close();
    }
  } finally {
    await engine.close();
  }
}

interface RequestFailure {
  readonly status: number;
  readonly body: JsonNode;
}

class RestRun {
  readonly #test: TestCase;
  readonly #expected: RestExpectations;
  readonly #engine: Engine;
  readonly #url: string;
  readonly #options: RunCaseOptions;
  readonly #properties: Record<string, string>;

  constructor(
    test: TestCase,
    expected: RestExpectations,
    engine: Engine,
    url: string,
    options: RunCaseOptions,
  ) {
    this.#test = test;
    this.#expected = expected;
    this.#engine = engine;
    this.#url = url;
    this.#options = options;
    this.#properties = {
      // As the server is configured that ksqlDB runs them on.
      'auto.offset.reset': 'earliest',
      'ksql.query.push.v2.enabled': 'true',
      ...Object.fromEntries(test.properties),
      ...(options.optimizer ? {} : { 'ksql.optimizer.enabled': 'false' }),
    };
  }

  async run(): Promise<string | null> {
    const { statements, inputs } = this.#test;
    const { error, queryFirst } = this.#expected;
    const first = statements.findIndex((text) => /^\s*SELECT\s/i.test(text));
    const commands = first < 0 ? statements : statements.slice(0, first);
    const queries = first < 0 ? [] : statements.slice(first);
    await createTopics(this.#engine.log.admin, this.#test, parsedOnes(commands));

    const responses: RestResponse[] = [];
    if (commands.length > 0) {
      const answer = await this.#post('/ksql', commands.join('\n'));
      if (!answer.ok) return this.#judgeFailure(await failureOf(answer));
      for (const node of parseJson(await answer.text()) as readonly JsonNode[])
        responses.push({ kind: 'admin', node });
    }
    let running: Promise<Response> | null = null;
    if (queryFirst) {
      let answered = false;
      running = this.#post('/query', queries[0] ?? '').finally(() => {
        answered = true;
      });
      const waits = (): boolean => !answered && this.#engine.pushQueries.size === 0;
      while (waits() && !this.#options.signal.aborted) await nextTurn();
    }
    await writeRecords(this.#engine, inputs, true);
    await this.#engine.drain();
    for (const [i, query] of queries.entries()) {
      const answer = await (i === 0 && running !== null ? running : this.#post('/query', query));
      if (!answer.ok) return this.#judgeFailure(await failureOf(answer));
      responses.push({ kind: 'query', node: parseJson(await answer.text()) });
    }
    if (error !== null) return `expected status ${error.status}, but everything was accepted`;
    return (
      (await this.#compareOutputs()) ??
      matchResponses(this.#expected.responses, responses, (i) => statements[i] ?? '')
    );
  }

  #post(path: string, ksql: string): Promise<Response> {
    return fetch(`${this.#url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/vnd.ksql.v1+json' },
      body: JSON.stringify({ ksql, streamsProperties: this.#properties }),
      signal: this.#options.signal,
    });
  }

  /** A rejection is judged by status and by what it is about: a statement, or the request. */
  #judgeFailure({ status, body }: RequestFailure): string | null {
    const member = (name: string): string => {
      const node = body instanceof Map ? (body as ReadonlyMap<string, JsonNode>).get(name) : undefined;
      return typeof node === 'string' ? node.replaceAll(/\s+/g, ' ') : '';
    };
    const { error } = this.#expected;
    const said = `${status} ${member('@type')}: ${member('message')}`;
    if (error === null) return said;
    const kind = member('@type') === 'statement_error' ? 'statement' : 'request';
    if (status === error.status && (error.kind === null || kind === error.kind)) return null;
    const about = error.kind === null ? '' : ` about the ${error.kind}`;
    return `expected status ${error.status}${about}, found ${said}`;
  }

  /** Only the first records of a topic are compared: no more are expected to be named. */
  async #compareOutputs(): Promise<string | null> {
    const { outputs } = this.#test;
    const { catalog, log } = this.#engine;
    for (const topic of new Set(outputs.map((record) => record.topic))) {
      const source = catalog.sources().find((each) => each.topic === topic);
      if (source === undefined) return `topic ${topic}: nothing in the catalog says how to read it`;
      const expected = outputs.filter((record) => record.topic === topic);
      const found = (await recordsOf(log, topic)).slice(0, expected.length);
      const reason = compareOutput(expected, found, source, { exact: true, withoutInputs: false });
      if (reason !== null) return reason;
    }
    return null;
  }
}

async function failureOf(answer: Response): Promise<RequestFailure> {
  const text = await answer.text();
  return { status: answer.status, body: text === '' ? null : parseJson(text) };
}

/** The statements that can be parsed; the server says what it thinks of the others. */
function parsedOnes(statements: readonly string[]): readonly ParsedStatement[] {
  return statements.flatMap((text) => {
    try {
      return parseStatements(unfinished(text) === '' ? text : `${text};`);
    } catch (error) {
      if (error instanceof SqlError) return [];
      throw error;
    }
  });
}
