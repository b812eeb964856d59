import { SqlError } from '../../../../src/common/error.ts';
import { builtinFunctions } from '../../../../src/functions/registry.ts';
import type { AnalyzeContext } from '../../../../src/sql/analyzer/analyze-context.ts';
import {
  type AnalyzedInsert,
  analyzeInsertValues,
} from '../../../../src/sql/analyzer/analyze-insert-values.ts';
import { analyzeAssertValues } from '../../../../src/sql/analyzer/analyze-assert-values.ts';
import { analyzeInsertSelect } from '../../../../src/sql/analyzer/analyze-insert-select.ts';
import { analyzeCreateSourceAs } from '../../../../src/sql/analyzer/analyze-persistent.ts';
import { analyzePullQuery, type PullPlan } from '../../../../src/sql/analyzer/analyze-pull-query.ts';
import { analyzeQuery } from '../../../../src/sql/analyzer/analyze-query.ts';
import { analyzeCreateSource } from '../../../../src/sql/analyzer/analyze-source.ts';
import { resolveType } from '../../../../src/sql/analyzer/resolve-type.ts';
import { Catalog } from '../../../../src/sql/catalog/catalog.ts';
import type { CatalogSource } from '../../../../src/sql/catalog/source.ts';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import { buildPersistentPlan, buildPushPlan } from '../../../../src/sql/plan/build-plan.ts';
import type { PlanNode } from '../../../../src/sql/plan/node.ts';

/** What the last of some statements came to; those before it have changed the catalog. */
export interface Analyzed {
  readonly catalog: Catalog;
  readonly plan?: PlanNode;
  readonly source?: CatalogSource;
  readonly insert?: AnalyzedInsert;
  readonly pull?: PullPlan;
}

/** Analyzes statements in order on a new catalog (or `catalog`); topics have 4 partitions unless they say. */
export function analyze(
  sql: string,
  properties = new Map<string, string>(),
  catalog = new Catalog(),
): Analyzed {
  let last: Analyzed = { catalog };
  for (const { statement, text } of parseStatements(sql)) {
    const context: AnalyzeContext = {
      catalog,
      functions: builtinFunctions,
      evaluation: { now: () => 0, random: () => 0.5 },
      properties,
      statementText: text,
    };
    const put = (source: CatalogSource, replaces: CatalogSource | null): void =>
      replaces === null ? catalog.add(source) : catalog.replace(source);
    switch (statement.kind) {
      case 'createSource': {
        if (statement.ifNotExists && catalog.has(statement.name)) break;
        const analyzed = analyzeCreateSource(statement, context);
        const source = { ...analyzed.source, partitions: analyzed.source.partitions || 4 };
        put(source, analyzed.replaces);
        last = { catalog, source };
        break;
      }
      case 'createSourceAs': {
        if (statement.ifNotExists && catalog.has(statement.name)) break;
        const analyzed = analyzeCreateSourceAs(statement, context);
        const source = { ...analyzed.sink, createdBy: `Q_${statement.name}` };
        put(source, analyzed.replaces);
        last = { catalog, source, plan: buildPersistentPlan(analyzed) };
        break;
      }
      case 'insertSelect':
        last = { catalog, plan: buildPersistentPlan(analyzeInsertSelect(statement, context)) };
        break;
      case 'insertValues':
        last = { catalog, insert: analyzeInsertValues(statement, context) };
        break;
      case 'assertValues':
      case 'assertTombstone':
        analyzeAssertValues(statement, context);
        break;
      case 'query':
        last =
          statement.emit === null
            ? { catalog, pull: analyzePullQuery(statement, context, sortsKeys) }
            : { catalog, plan: buildPushPlan(analyzeQuery(statement, context)) };
        break;
      case 'createType':
        catalog.addType(statement.name, resolveType(statement.type, catalog));
        break;
      default:
        break;
    }
  }
  return last;
}

/** As where the store of a table has the keys of its topic. */
function sortsKeys({ schema, keyFormat, window }: CatalogSource): boolean {
  const isText = schema.key.length === 1 && schema.key[0]!.type.kind === 'string';
  return isText && keyFormat.name === 'KAFKA' && window === null;
}

/** The error that the statements end with: its code and the text that it points at. */
export function errorOf(sql: string): {
  code: string;
  at: string | undefined;
  hint: string | undefined;
  message: string;
} {
  let before: Catalog = new Catalog();
  for (const { text } of parseStatements(sql)) {
    try {
      before = analyze(text, undefined, before).catalog;
    } catch (error) {
      if (!(error instanceof SqlError)) throw error;
      const { code, span, hint, message } = error;
      return { code, at: span === undefined ? undefined : text.slice(span.start, span.end), hint, message };
    }
  }
  throw new Error(`no error in ${sql}`);
}
