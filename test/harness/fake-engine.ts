import { systemClock } from '../../src/common/clock.ts';
import type { Engine } from '../../src/engine/engine.ts';
import type { Entity, ResultColumn, RowBatch, RowStream, StatementResult } from '../../src/engine/result.ts';
import { RowBudget } from '../../src/engine/row-budget.ts';
import { RowQueue } from '../../src/engine/row-queue.ts';
import type { Session } from '../../src/engine/session.ts';
import type { ParsedStatement } from '../../src/sql/parser/parse.ts';
import { INTEGER, STRING } from '../../src/types/sql-type.ts';
import type { Row } from '../../src/types/value.ts';

export const FAKE_COLUMNS: readonly ResultColumn[] = [
  { name: 'K', type: STRING, isKey: true },
  { name: 'V', type: INTEGER, isKey: false },
];

/** Rows that a test pushes, through the queue of real push queries. */
export class FakeRows implements RowStream {
  readonly kind: RowStream['kind'];
  readonly queryId: string;
  readonly columns: readonly ResultColumn[];
  readonly removes = true;
  end: RowStream['end'] = null;
  paused = false;
  closed = false;
  /** Rows that the client has asked for so far. */
  taken = 0;
  readonly whenClosed: Promise<void>;
  #resolveClosed: () => void = () => undefined;
  readonly #queue = new RowQueue(
    new RowBudget(),
    () => (this.paused = true),
    () => (this.paused = false),
  );

  constructor(kind: RowStream['kind'] = 'push', queryId = 'transient_FAKE_1', columns = FAKE_COLUMNS) {
    this.kind = kind;
    this.queryId = queryId;
    this.columns = columns;
    this.whenClosed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  push(row: Row, tombstone = false): this {
    this.#queue.push(row, tombstone);
    return this;
  }

  finish(end: NonNullable<RowStream['end']>): this {
    this.end ??= end;
    this.#queue.end();
    return this;
  }

  fail(error: unknown): this {
    this.#queue.end(error);
    return this;
  }

  async next(): Promise<RowBatch | null> {
    const batch = await this.#queue.next();
    this.taken += batch?.rows.length ?? 0;
    return batch;
  }

  close(): Promise<void> {
    this.finish('terminated');
    this.closed = true;
    this.#resolveClosed();
    return Promise.resolve();
  }
}

type Answer = StatementResult | Error | Promise<StatementResult>;

/** As much of an engine as the server asks for; what statements give is up to the test. */
export class FakeEngine {
  readonly options = { clock: systemClock };
  readonly clusterId = 'cluster';
  readonly serviceId = 'service';
  readonly executed: { readonly text: string; readonly session: Session }[] = [];
  healthy = true;
  readonly failedStatements = [];
  readonly queries = new Map();
  respond: (statement: ParsedStatement) => Answer = () => new Error('no answer was prepared');

  async execute(statement: ParsedStatement, session: Session): Promise<StatementResult> {
    this.executed.push({ text: statement.text, session });
    const answer = await this.respond(statement);
    if (answer instanceof Error) throw answer;
    return answer;
  }

  logAnswers(): Promise<boolean> {
    return Promise.resolve(this.healthy);
  }

  /** Every query gives these rows. */
  give(...rows: FakeRows[]): void {
    this.respond = () => ({ kind: 'rows', rows: rows.shift()! });
  }

  answer(entity: Entity): void {
    this.respond = () => ({ kind: 'entity', entity });
  }

  get engine(): Engine {
    return this as unknown as Engine;
  }
}
