import { expect, test } from 'vitest';
import { dropsOf } from '../../../src/engine/statements/script-drops.ts';
import { Catalog } from '../../../src/sql/catalog/catalog.ts';
import { parseStatements } from '../../../src/sql/parser/parse.ts';

test('what takes back a script are statements, whatever things are called', () => {
  const script = `
    CREATE STREAM \`FROM\` (K INT) WITH (KAFKA_TOPIC='f', VALUE_FORMAT='JSON');
    CREATE TABLE \`tables\` AS SELECT K, COUNT(*) FROM \`FROM\` GROUP BY K;
    CREATE TYPE \`TABLE\` AS INT;
    CREATE FUNCTION \`EXISTS\` (X INT) RETURNS INT LANGUAGE JAVASCRIPT AS $$ return X; $$;`;
  const drops = dropsOf([...parseStatements(script, new Map())], new Catalog()).join(' ');
  const dropped = [...parseStatements(drops, new Map())].map(({ statement }) => statement);
  expect(dropped).toMatchObject([
    { kind: 'dropFunction', name: 'EXISTS' },
    { kind: 'dropType', name: 'TABLE' },
    { kind: 'dropSource', name: 'tables' },
    { kind: 'dropSource', name: 'FROM' },
  ]);
});
