import type { Statement, StatementKind, StatementOf } from '../../sql/parser/ast.ts';
import type { StatementCall } from '../engine.ts';
import type { StatementResult } from '../result.ts';
import type { StatementHandler } from './answer.ts';
import { assertSource } from './assert-source.ts';
import { assertTopic } from './assert-topic.ts';
import { assertTombstone, assertValues } from './assert-values.ts';
import { createFunction, dropFunction } from './create-function.ts';
import { alterSource, createSource } from './create-source.ts';
import { createSourceAs, insertSelect } from './create-source-as.ts';
import { dropSource } from './drop-source.ts';
import { explain } from './explain.ts';
import { describeFunction, showFunctions } from './functions.ts';
import { insertValues } from './insert-values.ts';
import { printTopic } from './print-topic.ts';
import { query } from './query.ts';
import { pause, resume, terminate } from './query-control.ts';
import {
  alterSystem,
  defineVariable,
  setProperty,
  showProperties,
  showVariables,
  undefineVariable,
  unsetProperty,
} from './session-statements.ts';
import { describeSource, describeSources, showQueries, showSources, showTopics, showTypes } from './show.ts';
import { createType, dropType } from './types.ts';
import { unsupported } from './unsupported.ts';

const connectors = unsupported(
  'connectors are not managed here',
  'ask Kafka Connect itself, by its REST interface; its topics can be declared with CREATE STREAM or TABLE',
);
const schemas = unsupported(
  'ASSERT SCHEMA asks a schema registry, and there is none',
  'ASSERT STREAM and ASSERT TABLE check the columns of a source',
);

/** Every statement has its handler: one that is missing does not compile. */
const HANDLERS: { readonly [K in StatementKind]: StatementHandler<K> } = {
  query,
  createSource,
  createSourceAs,
  alterSource,
  dropSource,
  insertSelect,
  insertValues,
  createType,
  dropType,
  createFunction,
  dropFunction,
  createConnector: connectors,
  dropConnector: connectors,
  describeConnector: connectors,
  showConnectors: connectors,
  showConnectorPlugins: connectors,
  showTopics,
  showSources,
  showFunctions,
  showQueries,
  showProperties,
  showTypes,
  showVariables,
  describeSource,
  describeSources,
  describeFunction,
  explain,
  printTopic,
  terminate,
  pause,
  resume,
  setProperty,
  unsetProperty,
  alterSystem,
  defineVariable,
  undefineVariable,
  assertTopic,
  assertSchema: schemas,
  assertValues,
  assertTombstone,
  assertSource,
  runScript: unsupported(
    'a server runs no script files',
    'RUN SCRIPT at the command line, or send the statements themselves',
  ),
};

/** Runs a statement through its handler. */
export async function executeStatement(call: StatementCall): Promise<StatementResult> {
  return dispatch(call.parsed.statement, call);
}

function dispatch<K extends StatementKind>(statement: Statement & { kind: K }, call: StatementCall) {
  const handler = HANDLERS[statement.kind] as StatementHandler<K>;
  return handler(statement as unknown as StatementOf<K>, call);
}
