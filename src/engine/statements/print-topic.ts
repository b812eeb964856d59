import { SqlError } from '../../common/error.ts';
import { PrintQuery } from '../print-query.ts';
import type { RowsStatement } from './definition.ts';

export const printTopic: RowsStatement<'printTopic'> = {
  effect: 'reads',
  gives: ({ limit }) => ({ kind: 'print', isEndless: limit === null }),
  async run(statement, { engine }) {
    const { topic, topicSpan, fromBeginning, interval, limit } = statement;
    engine.reservedTopics.checkReadable(topic, topicSpan);
    const description = await engine.log.admin.describeTopic(topic);
    if (description === undefined)
      throw new SqlError('ML_TOPIC', `topic ${topic} does not exist`, {
        span: topicSpan,
        hint: 'SHOW TOPICS lists them; names of topics are case-sensitive',
      });
    const { partitions } = description;
    const queryId = engine.transientId('PRINT');
    engine.openQueries.add(queryId);
    const onClose = (): void => engine.openQueries.delete(queryId);
    return PrintQuery.open(
      queryId,
      engine.log,
      { topic, partitions, fromBeginning, interval, limit },
      onClose,
    );
  },
};
