import { DataError } from '../common/error.ts';
import { type JsonNode, parseJson } from '../types/json-node.ts';
import type { CaseRecord } from './case.ts';

/**
 * A test in SQL, `NAME.test.sql`: steps one below the other, each begun by a line with its word. `#` begins a comment.
 *
 * ```
 * statement ok
 * CREATE STREAM S (K INT KEY, V INT) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1);
 * statement error ML_NAME_UNKNOWN
 * SELECT NOPE FROM S EMIT CHANGES;
 * statement ok
 * CREATE TABLE T AS SELECT K, SUM(V) N FROM S WINDOW TUMBLING (SIZE 10 SECONDS) GROUP BY K;
 * expect-rule prune-columns
 * produce s
 * 1 {"V": 5} @1000
 * expect T
 * 1 [0..10000] {"N": 5} @1000
 * query
 * SELECT K, N FROM T WHERE K = 1;
 * ----
 * {"K":1,"N":5}
 * explain
 * SELECT V FROM S EMIT CHANGES;
 * ----
 * output [V]
 *   …
 * ```
 *
 * A record is a key, the window of a windowed one, a value, and a timestamp (absent: 0 to produce, unchecked to expect);
 * `null` is none. `expect` names all that came to the topic since it was last asked, in order. `expect-rule` says that
 * the optimizer used a rule on the query that was created last.
 */
export type ScriptStep = { readonly line: number } & (
  | { readonly kind: 'statement'; readonly sql: string; readonly error: string | null }
  | { readonly kind: 'produce' | 'expect'; readonly topic: string; readonly records: readonly CaseRecord[] }
  | { readonly kind: 'query' | 'explain'; readonly sql: string; readonly expected: readonly string[] }
  | { readonly kind: 'expect-rule'; readonly rule: string }
);

const STEP = /^(statement ok|statement error|produce|expect-rule|expect|query|explain)(?:\s+(.*))?$/;

/** Throws `DataError` naming the line that is no part of a script. */
export function readScript(text: string): readonly ScriptStep[] {
  const steps: ScriptStep[] = [];
  const lines = text.split('\n');
  let at = 0;
  const body = (): string[] => {
    const found: string[] = [];
    for (; at < lines.length && !STEP.test(lines[at]!); at++)
      if (!isIdle(lines[at]!)) found.push(lines[at]!.trimEnd());
    return found;
  };
  while (at < lines.length) {
    const line = at + 1;
    const text = lines[at++]!;
    if (isIdle(text)) continue;
    const [, word, rest = ''] = STEP.exec(text) ?? [];
    if (word === undefined) throw new DataError(`line ${line}: ${text.trim()} begins no step`);
    steps.push(readStep(line, word, rest.trim(), body()));
  }
  return steps;
}

function isIdle(line: string): boolean {
  return line.trim() === '' || line.startsWith('#');
}

function readStep(line: number, word: string, rest: string, body: readonly string[]): ScriptStep {
  switch (word) {
    case 'statement ok':
    case 'statement error':
      return { line, kind: 'statement', sql: body.join('\n'), error: word === 'statement ok' ? null : rest };
    case 'produce':
    case 'expect':
      return {
        line,
        kind: word,
        topic: rest,
        records: body.map((text) => readRecord(rest, text)),
      };
    case 'expect-rule':
      return { line, kind: word, rule: rest };
    default: {
      const divider = body.indexOf('----');
      if (divider < 0)
        throw new DataError(`line ${line}: ---- must stand between the statement and what it gives`);
      return {
        line,
        kind: word as 'query' | 'explain',
        sql: body.slice(0, divider).join('\n'),
        expected: body.slice(divider + 1),
      };
    }
  }
}

const RECORD =
  /^("(?:[^"\\]|\\.)*"|\{.*?\}(?=\s)|\[[^.]*?\](?=\s)|\S+)(?:\s+\[(-?\d+)\.\.(-?\d+)\])?\s+(.*?)(?:\s+@(-?\d+))?$/;

function readRecord(topic: string, text: string): CaseRecord {
  const [, key, start, end, value, timestamp] = RECORD.exec(text.trim()) ?? [];
  if (key === undefined || value === undefined) throw new DataError(`${text.trim()} is no record`);
  return {
    topic,
    key: nodeOf(key),
    value: nodeOf(value),
    timestamp: timestamp === undefined ? null : Number(timestamp),
    // Which kind it is, the source says.
    window: start === undefined ? null : { start: Number(start), end: Number(end), kind: 'time' },
    headers: [],
  };
}

/** JSON, or else text as it stands (a DELIMITED line). */
function nodeOf(text: string): JsonNode {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return text;
  }
}
