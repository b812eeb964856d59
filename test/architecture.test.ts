import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tokenize } from '../grammar/tokens.ts';
import { roomsText } from './harness/layers.ts';
import { openTestEngine } from '../src/test-runner/open-test-engine.ts';
import { systemClock } from '../src/common/clock.ts';
import type { RowStream } from '../src/engine/result.ts';
import { newSession } from '../src/engine/session.ts';
import { analyzeContext } from '../src/engine/statements/analyze-context.ts';
import { analyzeCreateSourceAs } from '../src/sql/analyzer/analyze-persistent.ts';
import type { CreateSourceAs } from '../src/sql/parser/ast.ts';
import { type ParsedStatement, parseStatements } from '../src/sql/parser/parse.ts';
import { optimize } from '../src/sql/optimizer/optimizer.ts';
import { lower } from '../src/sql/lower/lower.ts';
import { buildPersistentPlan } from '../src/sql/plan/build-plan.ts';
import { explainPlan } from '../src/sql/plan/explain.ts';
import { printExpression } from '../src/sql/expressions/print-expression.ts';
import { jsonText } from '../src/types/json-value.ts';
import { printType } from '../src/types/print-type.ts';

/** Prints the blocks of docs/ARCHITECTURE.md from the real thing. UPDATE_DOCS=1 writes them. */

const DOCUMENT = fileURLToPath(new URL('../docs/ARCHITECTURE.md', import.meta.url));

const SOURCE = `CREATE STREAM CLICKS (VISITOR STRING KEY, PAGE STRING, MS INT, AGENT STRING)
  WITH (KAFKA_TOPIC='clicks', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);`;
const STATEMENT = `CREATE TABLE VISITS AS
  SELECT PAGE, COUNT(*) AS N
  FROM CLICKS WINDOW TUMBLING (SIZE 10 SECONDS)
  WHERE MS > 2 * 50
  GROUP BY PAGE;`;
const INSERTS = `INSERT INTO CLICKS (ROWTIME, VISITOR, PAGE, MS) VALUES (1000, 'ann', '/home', 500);
INSERT INTO CLICKS (ROWTIME, VISITOR, PAGE, MS) VALUES (2000, 'bob', '/home', 40);
INSERT INTO CLICKS (ROWTIME, VISITOR, PAGE, MS) VALUES (3000, 'bob', '/home', 900);
INSERT INTO CLICKS (ROWTIME, VISITOR, PAGE, MS) VALUES (12000, 'ann', '/home', 200);`;
const CHANGES = 3;

/** The syntax tree as indented JSON, without spans, short objects on one line. */
function treeText(value: unknown): string {
  const plain = JSON.parse(
    JSON.stringify(value, (name, member: unknown) =>
      /span$/i.test(name) ? undefined : typeof member === 'bigint' ? String(member) : member,
    ),
  ) as unknown;
  const print = (node: unknown, indent: string): string => {
    const short = JSON.stringify(node);
    if (typeof node !== 'object' || node === null || short.length + indent.length < 100) return short;
    const inner = `${indent}  `;
    if (Array.isArray(node))
      return `[\n${node.map((each) => inner + print(each, inner)).join(',\n')}\n${indent}]`;
    const members = Object.entries(node).map(([name, member]) => `${inner}${name}: ${print(member, inner)}`);
    return `{\n${members.join(',\n')}\n${indent}}`;
  };
  return print(plain, '');
}

async function rowsOf(rows: RowStream): Promise<string[]> {
  const texts = rows.columns.map((column) => jsonText(column.type));
  const found: string[] = [];
  for (let batch = await rows.next(); batch !== null; batch = await rows.next())
    for (const row of batch.rows) found.push(texts.map((text, c) => text(row[c] ?? null)).join(' | '));
  await rows.close();
  return found;
}

async function outputs(): Promise<Map<string, string>> {
  const engine = await openTestEngine(systemClock, {});
  try {
    const session = newSession();
    const one = (text: string): ParsedStatement => parseStatements(text)[0]!;
    const run = async (text: string): Promise<string[]> => {
      const found: string[] = [];
      for (const statement of parseStatements(text)) {
        const result = await engine.execute(statement, session);
        if (result.kind === 'rows') found.push(...(await rowsOf(result.rows)));
      }
      return found;
    };
    await run(SOURCE);

    const parsed = one(STATEMENT);
    const statement = parsed.statement as CreateSourceAs;
    const context = analyzeContext({
      engine,
      session,
      properties: session.properties,
      parsed,
      script: undefined,
      replayed: null,
      answerAfter: () => undefined,
      answerUnknown: () => undefined,
    });
    const analyzed = analyzeCreateSourceAs(statement, context);
    const { query } = analyzed;
    const grouping = query.grouping!;
    const fromNames = query.from.columns.map(({ name }) => name);
    const calls = grouping.calls.map(
      (call) => `${call.name}(${call.args.map((arg) => printExpression(arg, fromNames)).join(', ')})`,
    );
    const groupedNames = [...grouping.names, ...calls, 'WINDOWSTART', 'WINDOWEND', 'ROWTIME'];
    const indexed = (names: readonly string[]): string => names.map((name, i) => `${i} ${name}`).join(', ');
    const analyzedText = [
      `from ${analyzed.reads.join(', ')}, a row of: ${indexed(fromNames)}`,
      `where ${printExpression(query.where!, fromNames)}`,
      `group by ${grouping.expressions.map((expression) => printExpression(expression, fromNames)).join(', ')}` +
        `, a row of: ${indexed(groupedNames)}`,
      `window ${grouping.windowing!.kind} of ${grouping.windowing!.sizeMs} ms, grace ${grouping.windowing!.graceMs} ms`,
      ...query.select.map(
        ({ name, type, expression }) =>
          `select ${printExpression(expression, groupedNames)} as ${name}: ${printType(type)}`,
      ),
      `writes a ${query.type}, key: ${analyzed.keyItems.map((item) => query.select[item]!.name).join(', ')}` +
        `, value: ${analyzed.valueItems.map((item) => query.select[item]!.name).join(', ')}`,
    ].join('\n');

    const before = buildPersistentPlan(analyzed);
    const { functions, evaluation } = engine;
    const { plan, steps } = optimize(before, { functions, evaluation });
    const { topology } = lower(plan, { functions, evaluation, coalesce: false });

    await run(STATEMENT);
    await run(INSERTS);
    const tokens = tokenize(STATEMENT).tokens.map((token) => `${token.tokenType.name} ${token.image}`);
    return new Map([
      ['rooms', roomsText()],
      ['statement', STATEMENT],
      ['tokens', wrap(tokens, '  ')],
      ['ast', treeText(statement)],
      ['source', SOURCE],
      ['analyzed', analyzedText],
      ['plan', explainPlan(before)],
      ['rules', steps.map((step) => `after ${step.rule}\n${explainPlan(step.after).trimEnd()}`).join('\n\n')],
      ['topology', topology.describe()],
      ['records in', INSERTS],
      [
        'records out',
        (await run(`PRINT 'VISITS' FROM BEGINNING LIMIT ${CHANGES};`))
          .map((line) => JSON.parse(line) as string)
          .join('\n'),
      ],
      [
        'rows',
        (await run(`SELECT PAGE, WINDOWSTART, WINDOWEND, N FROM VISITS EMIT CHANGES LIMIT ${CHANGES};`)).join(
          '\n',
        ),
      ],
    ]);
  } finally {
    await engine.close();
  }
}

/** Words in lines of at most 110 characters. */
function wrap(words: readonly string[], separator: string): string {
  const lines = [''];
  for (const word of words) {
    const line = lines.at(-1)!;
    if (line === '') lines[lines.length - 1] = word;
    else if (line.length + separator.length + word.length <= 110)
      lines[lines.length - 1] = line + separator + word;
    else lines.push(word);
  }
  return lines.join('\n');
}

test('the blocks of docs/ARCHITECTURE.md are what the engine prints', async () => {
  const document = readFileSync(DOCUMENT, 'utf8');
  const printed = await outputs();
  const used = new Set<string>();
  const wanted = document.replaceAll(
    /<!-- output: (.+?) -->\n(?:\n```\w*\n[\s\S]*?\n```\n)?/g,
    (_match, name: string) => {
      used.add(name);
      const language = ['statement', 'source', 'records in'].includes(name) ? 'sql' : '';
      return `<!-- output: ${name} -->\n\n\`\`\`${language}\n${printed.get(name)!.trimEnd()}\n\`\`\`\n`;
    },
  );
  expect([...used].sort()).toEqual([...printed.keys()].sort());
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(DOCUMENT, wanted);
  else expect(document, 'UPDATE_DOCS=1 writes them anew').toBe(wanted);
});
