import type { Statement, StatementKind } from '../../sql/parser/ast.ts';
import type { StatementCall } from '../engine.ts';
import type { StatementResult } from '../result.ts';
import * as assertSource from './assert-source.ts';
import * as assertTopic from './assert-topic.ts';
import * as assertValues from './assert-values.ts';
import * as createFunction from './create-function.ts';
import * as createSource from './create-source.ts';
import * as createSourceAs from './create-source-as.ts';
import type { ExpectedRows, StatementDefinition } from './definition.ts';
import * as dropSource from './drop-source.ts';
import * as explain from './explain.ts';
import * as functions from './functions.ts';
import * as insertSelect from './insert-select.ts';
import * as insertValues from './insert-values.ts';
import * as printTopic from './print-topic.ts';
import * as query from './query.ts';
import * as queryControl from './query-control.ts';
import * as session from './session-statements.ts';
import * as show from './show.ts';
import * as systemProperties from './system-properties.ts';
import * as types from './types.ts';
import * as unsupported from './unsupported.ts';

/** Every statement, by what each file of this room defines: a kind that none does is a mistake of the compiler's here. */
const DEFINITIONS: { readonly [K in StatementKind]: StatementDefinition<K> } = {
  ...assertSource,
  ...assertTopic,
  ...assertValues,
  ...createFunction,
  ...createSource,
  ...createSourceAs,
  ...dropSource,
  ...explain,
  ...functions,
  ...insertSelect,
  ...insertValues,
  ...printTopic,
  ...query,
  ...queryControl,
  ...session,
  ...show,
  ...systemProperties,
  ...types,
  ...unsupported,
};

/** The definition of a statement's kind. */
export function definitionOf({ kind }: Statement): StatementDefinition<StatementKind> {
  return DEFINITIONS[kind];
}

/** Whether it changes the catalog or the log: such statements run one after another, and those of a script once. */
export function isChange(statement: Statement): boolean {
  const { effect } = definitionOf(statement);
  return effect === 'catalog' || effect === 'records';
}

/** The rows that a statement gives; null where it gives an entity. */
export function rowsOf(statement: Statement): ExpectedRows | null {
  return definitionOf(statement).gives?.(statement) ?? null;
}

/** Rejects with `SqlError` for the user's mistakes. */
export async function runStatement(call: StatementCall): Promise<StatementResult> {
  const { statement } = call.parsed;
  const definition = definitionOf(statement);
  if (definition.gives !== undefined) return { kind: 'rows', rows: await definition.run(statement, call) };
  const entity =
    definition.effect === 'session'
      ? definition.run(statement, call.session)
      : await definition.run(statement, call);
  return { kind: 'entity', entity };
}
