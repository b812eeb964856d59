import type { LogAdmin } from '../../log/log.ts';
import type { WithProperty } from '../../sql/parser/ast.ts';
import type { ParsedStatement } from '../../sql/parser/parse.ts';
import type { TestCase } from './case.ts';

/** How many partitions topics have in ksqlDB's own executor where nothing says. */
export const DEFAULT_PARTITIONS = 4;

/**
 * Topics are there before the statements: those that a case lists, those of declared columns, and those of its
 * records. What a statement says about partitions wins. CREATE … AS makes its own topic.
 */
export async function createTopics(
  admin: LogAdmin,
  { topics, inputs, outputs }: Pick<TestCase, 'topics' | 'inputs' | 'outputs'>,
  parsed: readonly ParsedStatement[],
): Promise<void> {
  const partitions = new Map(topics.map((topic) => [topic.name, topic.partitions]));
  const statements = parsed.map(({ statement }) => statement);
  const declared = statements.filter((statement) => statement.kind === 'createSource');
  for (const { properties, elements } of declared) {
    const topic = propertyText(properties, 'KAFKA_TOPIC');
    const count = Number(propertyText(properties, 'PARTITIONS') ?? '0');
    if (topic === undefined || elements.length === 0) continue;
    if (count > 0) partitions.set(topic, count);
    else if (!partitions.has(topic)) partitions.set(topic, DEFAULT_PARTITIONS);
  }
  for (const { topic } of [...inputs, ...outputs])
    if (!partitions.has(topic)) partitions.set(topic, DEFAULT_PARTITIONS);
  for (const statement of statements) {
    if (statement.kind !== 'createSourceAs') continue;
    const topic = propertyText(statement.properties, 'KAFKA_TOPIC') ?? statement.name;
    if (!declared.some((each) => propertyText(each.properties, 'KAFKA_TOPIC') === topic))
      partitions.delete(topic);
  }
  for (const [name, count] of partitions) await admin.createTopic({ name, partitions: count });
}

function propertyText(properties: readonly WithProperty[], name: string): string | undefined {
  const value = properties.find((property) => property.name.toUpperCase() === name)?.value;
  return value !== undefined && 'value' in value ? String(value.value) : undefined;
}
