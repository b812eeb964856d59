import { sleep } from '../../common/clock.ts';
import { DataError, SqlError } from '../../common/error.ts';
import type { RecordBatch } from '../../log/record-batch.ts';
import {
  type AnalyzedAssertion,
  analyzeAssertValues,
  differenceOf,
} from '../../sql/analyzer/analyze-assert-values.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import type { SqlValue } from '../../types/value.ts';
import type { StatementCall } from '../engine.ts';
import type { Entity } from '../result.ts';
import { message } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { openRecordReader } from './asserted-row.ts';
import { analyzeContext } from './analyze-context.ts';

/** How long the next record is waited for once the queries of this process have caught up. */
const TIMEOUT_MS = 1000;
const POLL_MS = 20;

/** ASSERT VALUES: the next record of the source's topic has these values. */
export const assertValues: EntityStatement<'assertValues'> = {
  effect: 'reads',
  takesRecordOf: ({ source }) => `source:${source}`,
  run: assertNext,
};

/** ASSERT NULL VALUES: the next record of the source's topic has this key and no value. */
export const assertTombstone: EntityStatement<'assertTombstone'> = {
  effect: 'reads',
  takesRecordOf: ({ source }) => `source:${source}`,
  run: assertNext,
};

/**
 * "Next" is per session: each assertion that holds takes its record, and the first looks at the topic's beginning.
 * Records of one partition are in order and those of several are not, so with several partitions the first record of
 * any of them that was not taken may be the one.
 */
async function assertNext(
  statement: StatementOf<'assertValues' | 'assertTombstone'>,
  call: StatementCall,
): Promise<Entity> {
  const { engine, session } = call;
  const assertion = analyzeAssertValues(statement, analyzeContext(call));
  const { topic, name } = assertion.source;
  const { clock } = engine.options;
  await engine.drain();
  const taken = session.asserted.get(topic) ?? new Map<number, number>();
  session.asserted.set(topic, taken);
  // Where queries are stepped, what is not there yet does not come by itself.
  const patienceMs = engine.options.startQueries === 'stepped' ? 0 : TIMEOUT_MS;
  const deadline = clock.monotonic() + patienceMs;
  for (;;) {
    const candidates = await nextRecords(assertion, taken, call);
    const hit = candidates.find((each) => each.differs === null);
    if (hit !== undefined) {
      taken.set(hit.partition, hit.offset + 1);
      return message('');
    }
    // One of another partition may still come, unless every partition has its next record.
    if (candidates.length === assertion.source.partitions || clock.monotonic() >= deadline) {
      const [first] = candidates;
      throw new SqlError(
        'ML_ASSERT',
        first === undefined
          ? `there is no further record in topic ${topic} of ${name}`
          : `the next record in topic ${topic} of ${name} differs: ${first.differs!}`,
        {
          span: statement.span,
          hint: 'each ASSERT VALUES takes the record after the one before it; SELECT or PRINT shows what is there',
        },
      );
    }
    await sleep(clock, POLL_MS);
  }
}

interface Candidate {
  readonly partition: number;
  readonly offset: number;
  /** Null: it is the wanted one. */
  readonly differs: string | null;
}

/** The first record that was not taken of each partition that has one. */
async function nextRecords(
  assertion: AnalyzedAssertion,
  taken: ReadonlyMap<number, number>,
  { engine }: StatementCall,
): Promise<readonly Candidate[]> {
  const { topic } = assertion.source;
  const read = openRecordReader(assertion.source, assertion.row);
  const offsets = await engine.log.admin.offsets(topic);
  const found: Candidate[] = [];
  const reader = engine.log.openReader();
  try {
    const open = new Set<number>();
    offsets.forEach(({ start, end }, partition) => {
      const offset = Math.max(start, taken.get(partition) ?? 0);
      if (offset >= end) return;
      open.add(partition);
      reader.assign({ topic, partition, offset });
    });
    // The end of a partition may be beyond its last record: markers of transactions have offsets too.
    const isOpen = (partition: number): boolean =>
      open.has(partition) && reader.position({ topic, partition }) < offsets[partition]!.end;
    while ([...open].some(isOpen))
      for (const batch of await reader.poll(100)) {
        if (!open.has(batch.partition) || batch.first >= batch.count) continue;
        open.delete(batch.partition);
        found.push({
          partition: batch.partition,
          offset: Number(batch.offsets[batch.first]),
          differs: judge(assertion, read, batch),
        });
      }
  } finally {
    await reader.close();
  }
  return found.sort((a, b) => a.partition - b.partition);
}

function judge(
  assertion: AnalyzedAssertion,
  read: (batch: RecordBatch, index: number) => readonly SqlValue[],
  batch: RecordBatch,
): string | null {
  const { first } = batch;
  const isTombstone = batch.valueStart[first]! < 0;
  if (assertion.isTombstone && !isTombstone) return 'it has a value';
  if (!assertion.isTombstone && isTombstone) return 'it has no value';
  try {
    return differenceOf(assertion, read(batch, first));
  } catch (error) {
    if (error instanceof DataError) return `it cannot be read: ${error.message}`;
    throw error;
  }
}
