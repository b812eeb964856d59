import { analyzeAlterSource, analyzeCreateSource } from '../../sql/analyzer/analyze-source.ts';
import { ensureTopic } from '../topics.ts';
import { analyzeContext } from './analyze-context.ts';
import { answer, changed, type StatementHandler } from './answer.ts';
import { createSourceTable, isMaterialized } from './source-table.ts';

/** CREATE [SOURCE] STREAM|TABLE: declares what is in a topic, which is created when PARTITIONS says how. */
export const createSource: StatementHandler<'createSource'> = async (statement, call) => {
  const { engine } = call;
  const { name, sourceKind, ifNotExists } = statement;
  if (ifNotExists && engine.catalog.has(name))
    return answer({
      '@type': 'warning_entity',
      message: `${name} exists already: nothing was created`,
    });
  const { source, topic, replaces } = analyzeCreateSource(statement, analyzeContext(call));
  if (call.replayed === null) engine.reservedTopics.checkReadable(topic.name, topic.span);
  const partitions = await ensureTopic(call, { ...topic, sourceKind });
  const declared = { ...source, partitions };
  if (isMaterialized(declared, call.properties)) return createSourceTable(declared, call);
  const { sequence } = engine;
  await engine.record(call, sequence);
  if (replaces === null) engine.catalog.add(declared);
  else engine.catalog.replace(declared);
  const kind = sourceKind === 'stream' ? 'Stream' : 'Table';
  return changed(`${sourceKind}/\`${name}\`/create`, `${kind} ${name} created`, sequence);
};

export const alterSource: StatementHandler<'alterSource'> = async (statement, call) => {
  const { engine } = call;
  const source = analyzeAlterSource(statement, analyzeContext(call));
  const { sequence } = engine;
  await engine.record(call, sequence);
  engine.catalog.replace(source);
  return changed(`${statement.sourceKind}/\`${source.name}\`/alter`, `${source.name} altered`, sequence);
};
