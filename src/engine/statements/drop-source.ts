import { SqlError } from '../../common/error.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { giveUpDropped } from './give-up.ts';
import { findSource } from '../../sql/analyzer/find-source.ts';

/**
 * DROP STREAM|TABLE. Refused while queries read the source, or others than the one that made it write it; that one
 * is ended with it.
 */
export const dropSource: EntityStatement<'dropSource'> = {
  effect: 'catalog',
  endsQueries: () => true,
  async run(statement, call) {
    const { engine } = call;
    const { name, nameSpan, sourceKind, ifExists, deleteTopic } = statement;
    const givenUp = engine.catalog.has(name) ? null : await giveUpDropped(statement, call);
    if (givenUp !== null) return givenUp;
    if (ifExists && !engine.catalog.has(name))
      return changed(
        `${sourceKind}/\`${name}\`/drop`,
        `there is no ${sourceKind} ${name}: nothing was dropped`,
        engine.sequence,
      );
    const source = findSource(name, nameSpan, engine);
    if (source.type !== sourceKind)
      throw new SqlError('ML_NAME_UNKNOWN', `${name} is a ${source.type}, not a ${sourceKind}`, {
        span: nameSpan,
        hint: `use DROP ${source.type.toUpperCase()} ${name}`,
      });
    const users = [...engine.catalog.readersOf(name), ...engine.catalog.writersOf(name)].filter(
      (id) => id !== source.createdBy,
    );
    if (users.length > 0)
      throw new SqlError('ML_IN_USE', `${name} is used by ${[...new Set(users)].join(', ')}`, {
        span: nameSpan,
        hint: 'terminate those queries, or drop what they write, first',
      });
    if (deleteTopic && source.sourceOnly)
      throw new SqlError(
        'ML_UNSUPPORTED',
        `${name} is a SOURCE ${sourceKind}: its topic is not ours to delete`,
        {
          span: statement.span,
          hint: 'leave DELETE TOPIC out',
        },
      );
    if (deleteTopic && call.replayed === null)
      engine.reservedTopics.checkWritable(source.topic, statement.span);
    const { sequence } = engine;
    await engine.record(call, sequence);
    engine.catalog.remove(name);
    const query = source.createdBy === null ? undefined : engine.queries.get(source.createdBy);
    if (query !== undefined) await engine.removeQuery(query, call);
    if (deleteTopic && call.replayed === null) {
      await engine.log.admin.deleteTopic(source.topic);
      // A topic of that name begins anew.
      call.session.asserted.delete(source.topic);
    }
    return changed(
      `${sourceKind}/\`${name}\`/drop`,
      `Source ${name} was dropped${deleteTopic ? ` with topic ${source.topic}` : ''}`,
      sequence,
    );
  },
};
