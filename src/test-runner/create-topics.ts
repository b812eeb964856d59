import { type LogAdmin, LogError } from '../log/log.ts';
import type { StatementTopic } from '../engine/statements/definition.ts';
import { definitionOf } from '../engine/statements/statements.ts';
import type { Statement } from '../sql/parser/ast.ts';
import type { ParsedStatement } from '../sql/parser/parse.ts';
import type { TestCase } from './case.ts';

/** How many partitions topics have in ksqlDB's own executor where nothing says. */
export const DEFAULT_PARTITIONS = 4;

/**
 * Topics are there before the statements: those that a case lists, those of declared columns, and those of its
 * records. What a statement says about partitions wins. CREATE … AS makes its own topic, also where a later statement
 * declares what is in it.
 */
export async function createTopics(
  admin: LogAdmin,
  { topics, inputs, outputs }: Pick<TestCase, 'topics' | 'inputs' | 'outputs'>,
  parsed: readonly ParsedStatement[],
): Promise<void> {
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions]));
  for (const { topic } of [...inputs, ...outputs])
    if (!partitions.has(topic)) partitions.set(topic, DEFAULT_PARTITIONS);
  const declared = new Set<string>();
  const made = new Set<string>();
  for (const { statement } of parsed) {
    const topic = topicOf(statement);
    if (topic === null) continue;
    if (!topic.isDeclared) {
      if (!declared.has(topic.name)) made.add(topic.name);
    } else if (!made.has(topic.name)) {
      declared.add(topic.name);
      const count = topic.partitions ?? partitions.get(topic.name) ?? DEFAULT_PARTITIONS;
      partitions.set(topic.name, count);
    }
  }
  for (const [name, count] of partitions)
    if (!made.has(name)) await admin.createTopic({ name, partitions: count });
}

/**
 * As ksqlDB's runner of SQL tests has it: the topic of declared columns is there, with one partition where nothing says.
 */
export async function createDeclaredTopic(admin: LogAdmin, statement: Statement): Promise<void> {
  const topic = topicOf(statement);
  if (topic === null || !topic.isDeclared || topic.partitions !== null) return;
  if ((await admin.describeTopic(topic.name)) !== undefined) return;
  try {
    await admin.createTopic({ name: topic.name, partitions: 1 });
  } catch (error) {
    // The statement says what is wrong with the name.
    if (!(error instanceof LogError)) throw error;
  }
}

function topicOf(statement: Statement): StatementTopic | null {
  return definitionOf(statement).topic?.(statement) ?? null;
}
