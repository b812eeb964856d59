import { sleep } from '../../common/clock.ts';
import { SqlError } from '../../common/error.ts';
import type { TopicDescription } from '../../log/log.ts';
import type { StatementOf, WithProperty } from '../../sql/parser/ast.ts';
import type { EntityStatement } from './definition.ts';

const TIMEOUT_MS = 1000;
const POLL_MS = 50;

/** ASSERT [NOT EXISTS] TOPIC: waits until it holds, and is an error when it does not in time. */
export const assertTopic: EntityStatement<'assertTopic'> = {
  effect: 'reads',
  async run(statement, { engine }) {
    const { clock } = engine.options;
    const { topic, exists, topicSpan: span } = statement;
    const deadline = clock.monotonic() + (statement.timeoutMs ?? TIMEOUT_MS);
    const wanted = statement.properties.map(wish);
    for (;;) {
      const found = await engine.log.admin.describeTopic(topic);
      const differs = difference(found, statement, wanted);
      if (differs === null) return { '@type': 'assert_topic', topicName: topic, exists };
      if (clock.monotonic() >= deadline) throw new SqlError('ML_ASSERT', differs, { span });
      await sleep(clock, POLL_MS);
    }
  },
};

interface Wish {
  readonly name: 'partitions' | 'replicas';
  readonly count: number;
}

function wish({ name, value, nameSpan }: WithProperty): Wish {
  const member = name === 'PARTITIONS' ? 'partitions' : name === 'REPLICAS' ? 'replicas' : null;
  if (member === null)
    throw new SqlError('ML_PROPERTY', `ASSERT TOPIC does not check ${name}`, {
      span: nameSpan,
      hint: 'it checks PARTITIONS and REPLICAS',
    });
  if (value.kind !== 'integer')
    throw new SqlError('ML_PROPERTY', `${name} must be a whole number`, { span: value.span });
  return { name: member, count: value.value };
}

/** What does not hold, or null. */
function difference(
  found: TopicDescription | undefined,
  { topic, exists }: StatementOf<'assertTopic'>,
  wanted: readonly Wish[],
): string | null {
  if (!exists) return found === undefined ? null : `topic ${topic} exists`;
  if (found === undefined) return `topic ${topic} does not exist`;
  for (const { name, count } of wanted)
    if (found[name] !== count) return `topic ${topic} has ${found[name]} ${name}, not ${count}`;
  return null;
}
