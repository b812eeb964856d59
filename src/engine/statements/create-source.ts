import { analyzeAlterSource, analyzeCreateSource } from '../../sql/analyzer/analyze-source.ts';
import { SqlError } from '../../common/error.ts';
import type { CatalogSource } from '../../sql/catalog/source.ts';
import type { StatementOf } from '../../sql/parser/ast.ts';
import type { AnalyzeContext } from '../../sql/analyzer/analyze-context.ts';
import { resolveType } from '../../sql/analyzer/resolve-type.ts';
import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier } from '../../types/print-type.ts';
import type { StatementCall } from '../engine.ts';
import { ensureTopic } from '../topics.ts';
import { analyzeContext } from './analyze-context.ts';
import { changed } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { goesOn, isRerun } from './earlier-query.ts';
import { altersLater } from './later-statements.ts';
import { propertyText } from './names.ts';
import { createSourceTable, isMaterialized } from './source-table.ts';

/** CREATE [SOURCE] STREAM|TABLE: declares what is in a topic, which is created when PARTITIONS says how. */
export const createSource: EntityStatement<'createSource'> = {
  effect: 'catalog',
  endsQueries: ({ orReplace }) => orReplace,
  topic({ properties, elements }) {
    const name = propertyText(properties, 'KAFKA_TOPIC');
    const count = Number(propertyText(properties, 'PARTITIONS') ?? '0');
    if (name === undefined || elements.length === 0) return null;
    return { name, isDeclared: true, partitions: count > 0 ? count : null };
  },
  async run(statement, call) {
    const { engine } = call;
    const { name, sourceKind, ifNotExists } = statement;
    if (ifNotExists && engine.catalog.has(name))
      return {
        '@type': 'warning_entity',
        message: `${name} exists already: nothing was created`,
      };
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
      const altered = altersSince(there, source, call);
      if (altered === null) throw declaredOtherwise(there, statement);
      // The statements between are to find what they found.
      if (altered > 0)
        engine.catalog.replace({ ...there, schema: source.schema, statementText: source.statementText });
      script?.altered.set(name, altered);
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
  },
};

/**
 * How many of the script's later ALTERs make what is there of what is declared now; null when no number of them does.
 */
function altersSince(there: CatalogSource, now: CatalogSource, call: StatementCall): number | null {
  const context = analyzeContext(call);
  const wanted = declarationOf(there);
  let declared = now;
  const alters = call.script === undefined ? [] : altersLater(call.script, now.name);
  for (let count = 0; ; count++) {
    if (declarationOf(declared) === wanted) return count;
    const next = alters[count];
    if (next === undefined || declared.schema.value.length >= there.schema.value.length) return null;
    const catalog = context.catalog.copy();
    catalog.replace(declared);
    declared = analyzeAlterSource(next, { ...context, catalog });
  }
}

function declaredOtherwise(
  there: CatalogSource,
  { name, nameSpan, sourceKind, readOnly }: StatementOf<'createSource'>,
): SqlError {
  const printed = printIdentifier(name);
  return new SqlError('ML_NAME_TAKEN', `${printed} has been declared otherwise: ${there.statementText}`, {
    span: nameSpan,
    hint: readOnly
      ? `DROP ${sourceKind.toUpperCase()} ${printed} first`
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

export const alterSource: EntityStatement<'alterSource'> = {
  effect: 'catalog',
  async run(statement, call) {
    const { engine, script } = call;
    const context = analyzeContext(call);
    const there = engine.catalog.get(statement.name);
    // The run that declared the source has ended, and this one was stopped between its CREATE and here.
    if (there !== undefined && isRerun(call, `source:${there.name}`) && hasColumns(there, statement, context))
      return goesOn(engine, `${there.type}/\`${there.name}\`/alter`, null, there.name);
    const source = analyzeAlterSource(statement, context);
    const { sequence } = engine;
    const done = script?.altered.get(source.name) ?? 0;
    if (done > 0) script?.altered.set(source.name, done - 1);
    else await engine.record(call, sequence);
    engine.catalog.replace(source);
    return changed(`${statement.sourceKind}/\`${source.name}\`/alter`, `${source.name} altered`, sequence);
  },
};

function hasColumns(
  { schema }: CatalogSource,
  { columns }: StatementOf<'alterSource'>,
  { catalog }: AnalyzeContext,
): boolean {
  return columns.every((column) => {
    const there = schema.value.find(({ name }) => name === column.name);
    return there !== undefined && equalTypes(there.type, resolveType(column.type, catalog));
  });
}
