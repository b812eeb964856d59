import { analyzeAlterSource, analyzeCreateSource } from '../../sql/analyzer/analyze-source.ts';
import { SqlError } from '../../common/error.ts';
import type { CatalogSource } from '../../sql/catalog/source.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import { printIdentifier } from '../../types/print-type.ts';
import { ensureTopic } from '../topics.ts';
import { analyzeContext } from './analyze-context.ts';
import { answer, changed, type StatementHandler } from './answer.ts';
import { goesOn, isRerun } from './earlier-query.ts';
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
  const { script } = call;
  const there = statement.orReplace ? undefined : engine.catalog.get(name);
  const rerun = there !== undefined && isRerun(call, `source:${name}`);
  script?.made.add(`source:${name}`);
  const context = analyzeContext(call);
  const { source, topic, replaces } = analyzeCreateSource(
    statement,
    rerun ? { ...context, catalog: engine.catalog.without(name) } : context,
  );
  if (rerun) {
    checkDeclaration(there, source, statement);
    return goesOn(engine, `${sourceKind}/\`${name}\`/create`, null, name);
  }
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

/** Throws `SqlError` when a script declares otherwise what it has declared in an earlier run. */
function checkDeclaration(
  there: CatalogSource,
  now: CatalogSource,
  { nameSpan, sourceKind, readOnly }: StatementOf<'createSource'>,
): void {
  if (declarationOf(there) === declarationOf(now)) return;
  const name = printIdentifier(now.name);
  throw new SqlError('ML_NAME_TAKEN', `${name} has been declared otherwise: ${there.statementText}`, {
    span: nameSpan,
    hint: readOnly
      ? `DROP ${sourceKind.toUpperCase()} ${name} first`
      : `write CREATE OR REPLACE ${sourceKind.toUpperCase()}, which queries that read it go on without, or start with --fresh`,
  });
}

function declarationOf({
  type,
  schema,
  topic,
  keyFormat,
  valueFormat,
  window,
  timestamp,
  sourceOnly,
}: CatalogSource): string {
  return JSON.stringify([type, schema, topic, keyFormat, valueFormat, window, timestamp, sourceOnly]);
}

export const alterSource: StatementHandler<'alterSource'> = async (statement, call) => {
  const { engine } = call;
  const source = analyzeAlterSource(statement, analyzeContext(call));
  const { sequence } = engine;
  await engine.record(call, sequence);
  engine.catalog.replace(source);
  return changed(`${statement.sourceKind}/\`${source.name}\`/alter`, `${source.name} altered`, sequence);
};
