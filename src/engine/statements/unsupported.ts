import { SqlError } from '../../common/error.ts';
import type { StatementKind } from '../../sql/parser/ast.ts';
import type { EntityStatement } from './definition.ts';

/** Statements that parse and that this engine does not run. */

const connectors = unsupported<
  'createConnector' | 'dropConnector' | 'describeConnector' | 'showConnectors' | 'showConnectorPlugins'
>(
  'connectors are not managed here',
  'ask Kafka Connect itself, by its REST interface; its topics can be declared with CREATE STREAM or TABLE',
);
export const createConnector = connectors;
export const dropConnector = connectors;
export const describeConnector = connectors;
export const showConnectors = connectors;
export const showConnectorPlugins = connectors;

export const assertSchema = unsupported<'assertSchema'>(
  'ASSERT SCHEMA asks a schema registry, and there is none',
  'ASSERT STREAM and ASSERT TABLE check the columns of a source',
);

export const runScript = unsupported<'runScript'>(
  'a server runs no script files',
  'RUN SCRIPT at the command line, or send the statements themselves',
);

function unsupported<K extends StatementKind>(message: string, hint: string): EntityStatement<K> {
  return {
    effect: 'reads',
    run: ({ span }) => {
      throw new SqlError('ML_UNSUPPORTED', message, { span, hint });
    },
  };
}
