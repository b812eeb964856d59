import { SqlError } from '../common/error.ts';
import { must } from '../common/assert.ts';
import type { Engine } from '../engine/engine.ts';
import type { QueryDescription, RowStream } from '../engine/result.ts';
import { newSession, type Session } from '../engine/session.ts';
import { parseStatements } from '../sql/parser/parse.ts';
import { explainPlan } from '../sql/plan/explain.ts';
import { jsonText } from '../types/json-value.ts';
import type { CaseRecord } from './case.ts';
import { ScriptError, scriptStatements } from '../engine/statements/script-statements.ts';
import { compareOutput } from './compare-output.ts';
import { describeFailure } from './describe-failure.ts';
import { openTestEngine } from './open-test-engine.ts';
import type { ScriptStep } from './read-script.ts';
import type { RunCaseOptions } from './run-case.ts';
import { recordsOf } from './topic-records.ts';
import { writeRecords } from './write-records.ts';

/** Runs a script on an engine whose queries run by themselves. Returns null when every step held, else which did not. */
export async function runScript(
  steps: readonly ScriptStep[],
  file: string,
  options: RunCaseOptions,
): Promise<string | null> {
  const { functions, clock, optimizer, signal } = options;
  const engine = await openTestEngine(clock, functions === undefined ? {} : { functions });
  const run = new ScriptRun(engine, file, optimizer);
  try {
    for (const step of steps) {
      if (signal.aborted) return `line ${step.line}: took too long`;
      let reason: string | null;
      try {
        reason = await run.step(step);
      } catch (error) {
        reason = describeFailure(error);
      }
      if (reason !== null) return `line ${step.line}: ${reason}`;
    }
    return null;
  } finally {
    await engine.close();
  }
}

class ScriptRun {
  readonly #engine: Engine;
  /** The file that paths of RUN SCRIPT are relative to. */
  readonly #file: string;
  readonly #optimizer: boolean;
  readonly #session: Session = newSession();
  /** How many records of each topic were asked for before. */
  readonly #seen = new Map<string, number>();

  constructor(engine: Engine, file: string, optimizer: boolean) {
    this.#engine = engine;
    this.#file = file;
    this.#optimizer = optimizer;
    if (!optimizer) this.#session.properties.set('ksql.optimizer.enabled', 'false');
  }

  async step(step: ScriptStep): Promise<string | null> {
    switch (step.kind) {
      case 'statement':
        return this.#statement(step.sql, step.error);
      case 'produce':
        await writeRecords(this.#engine, step.records, true);
        return null;
      case 'expect':
        return this.#expect(step.topic, step.records);
      case 'query':
        await this.#engine.drain();
        return compareLines(step.expected, await this.#rowsOf(step.sql));
      case 'explain':
        return this.#optimizer ? compareLines(step.expected, await this.#planOf(step.sql)) : null;
      case 'expect-rule':
        return this.#expectRule(step.rule);
    }
  }

  async #statement(sql: string, error: string | null): Promise<string | null> {
    try {
      for (const statement of scriptStatements(sql, this.#file, new Map(this.#session.variables))) {
        const result = await this.#engine.execute(statement, this.#session);
        if (result.kind === 'rows') await result.rows.close();
      }
    } catch (thrown) {
      const cause = thrown instanceof ScriptError ? thrown.cause : thrown;
      if (!(cause instanceof SqlError) || error === null) throw thrown;
      const text = `${cause.code}: ${cause.message}`;
      return text.includes(error) ? null : `expected an error with ${error}, found ${text}`;
    }
    return error === null ? null : `expected an error with ${error}, but it was accepted`;
  }

  async #expect(topic: string, expected: readonly CaseRecord[]): Promise<string | null> {
    await this.#engine.drain();
    const { catalog, log } = this.#engine;
    const source = catalog.sources().find((each) => each.topic === topic);
    if (source === undefined) return `nothing in the catalog says how to read topic ${topic}`;
    const all = await recordsOf(log, topic);
    const found = all.slice(this.#seen.get(topic) ?? 0);
    this.#seen.set(topic, all.length);
    const kind = source.window?.kind === 'session' ? 'session' : 'time';
    return compareOutput(
      expected.map((record) =>
        record.window === null ? record : { ...record, window: { ...record.window, kind } },
      ),
      found,
      source,
      { exact: true, withoutInputs: false },
    );
  }

  async #rowsOf(sql: string): Promise<readonly string[]> {
    const result = await this.#engine.execute(must(parseStatements(sql)[0]), this.#session);
    if (result.kind !== 'rows') return [JSON.stringify(result.entity)];
    try {
      return await readRows(result.rows);
    } finally {
      await result.rows.close();
    }
  }

  async #planOf(sql: string): Promise<readonly string[]> {
    const result = await this.#engine.execute(must(parseStatements(`EXPLAIN ${sql}`)[0]), this.#session);
    if (result.kind !== 'entity' || result.entity['@type'] !== 'queryDescription') return [];
    const { executionPlan } = result.entity.queryDescription as QueryDescription;
    const optimized = executionPlan.slice(executionPlan.lastIndexOf('optimized plan\n'));
    return optimized
      .split('\n')
      .slice(1)
      .filter((line) => line !== '');
  }

  #expectRule(rule: string): string | null {
    if (!this.#optimizer) return null;
    const query = [...this.#engine.queries.values()].at(-1);
    if (query === undefined) return 'no query was created before';
    const used = query.plan.steps.map((step) => step.rule);
    if (used.includes(rule)) return null;
    const plan = explainPlan(query.plan.before).replaceAll('\n', ' | ');
    return `rule ${rule} was not used on ${query.id}, only [${used.join(', ')}]; the plan was ${plan}`;
  }
}

/** Each row as a JSON object on a line. A push query has to end by its LIMIT. */
async function readRows(rows: RowStream): Promise<readonly string[]> {
  const texts = rows.columns.map(({ name, type }) => ({ name: JSON.stringify(name), text: jsonText(type) }));
  const lines: string[] = [];
  for (let batch = await rows.next(); batch !== null; batch = await rows.next())
    for (const row of batch.rows)
      lines.push(`{${texts.map(({ name, text }, i) => `${name}:${text(row[i] ?? null)}`).join(',')}}`);
  return lines;
}

function compareLines(expected: readonly string[], found: readonly string[]): string | null {
  for (let i = 0; i < Math.max(expected.length, found.length); i++)
    if (expected[i] !== found[i])
      return `expected ${expected[i] ?? 'no more'}, found ${found[i] ?? 'no more'}`;
  return null;
}
