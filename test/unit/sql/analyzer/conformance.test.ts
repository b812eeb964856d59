import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { SqlError } from '../../../../src/common/error.ts';
import { Catalog } from '../../../../src/sql/catalog/catalog.ts';
import type { CatalogSource } from '../../../../src/sql/catalog/source.ts';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import { printType } from '../../../../src/types/print-type.ts';
import { analyze } from './analyze.ts';

/**
 * The statements of ksqlDB's own test cases, analyzed only: what must be accepted is, what must be refused is, and
 * the schemas are the expected ones. Cases with formats of a schema registry are left out until those formats exist.
 */

const CASES = fileURLToPath(new URL('../../../../../shared/conformance/ksqldb/query', import.meta.url));

interface Case {
  readonly name: string;
  readonly format?: readonly string[];
  readonly statements: readonly string[];
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly expectedException?: { readonly message?: string };
  readonly post?: { readonly sources?: readonly { name: string; schema?: string }[] };
}

/** Functions that exist in ksqlDB's tests only. */
const TEST_FUNCTIONS =
  /test_udf|test_udtf|test_udaf|throwing_udtf|bad_udf|var_arg|multi_arg|four_arg|five_arg|obj_col_arg|when(condition|result)/i;

/** Refused there and not here, or the other way round, each for a reason. */
const DIFFERENCES: Readonly<Record<string, string>> = {
  // Errors of other rooms: running, dropping and altering are not analyzed here.
  'asserts.json should not parse RUN SCRIPT': 'accepted',
  'drop_source.json drop a non-existing stream should fail': 'accepted',
  'source-stream.json rejects DROP ... DELETE TOPIC statements for source streams': 'accepted',
  'source-stream.json rejects ALTER ... statements on existing source streams': 'accepted',
  'source-table.json rejects DROP ... DELETE TOPIC statements for source tables': 'accepted',
  'source-table.json rejects ALTER ... statements on existing source streams': 'accepted',
  'timestamp-extractor.json source throw on invalid timestamp extractor with format': 'accepted',
};

function outcomeOf(each: Case, format: string): string {
  const catalog = new Catalog();
  const properties = new Map(
    Object.entries(each.properties ?? {}).map(([name, value]) => [name, String(value)]),
  );
  const wantsError = each.expectedException !== undefined;
  try {
    for (const { text } of parseStatements(each.statements.join('\n').replaceAll('{FORMAT}', format)))
      analyze(text, properties, catalog);
  } catch (error) {
    if (!(error instanceof SqlError)) throw error;
    return wantsError ? 'right' : 'refused';
  }
  if (wantsError) return 'accepted';
  const differs = (each.post?.sources ?? []).some(({ name, schema }) => {
    const source = catalog.get(name);
    return source === undefined || (schema !== undefined && normal(schemaText(source)) !== normal(schema));
  });
  return differs ? 'schema' : 'right';
}

function schemaText({ schema }: CatalogSource): string {
  return [
    ...schema.key.map((column) => `${column.name} ${printType(column.type)} KEY`),
    ...schema.value.map((column) => `${column.name} ${printType(column.type)}`),
    ...schema.headers.map(
      ({ name, type, headerKey }) =>
        `${name} ${printType(type)} HEADER${headerKey === null ? 'S' : `('${headerKey}')`}`,
    ),
  ].join(',');
}

function normal(schema: string): string {
  return schema
    .replaceAll('VARCHAR', 'STRING')
    .replaceAll('PRIMARY ', '')
    .replaceAll(/\bINTEGER\b/g, 'INT')
    .replaceAll(/[`\s]+/g, '')
    .toUpperCase();
}

test.skipIf(!existsSync(CASES))(
  'statements of ksqlDB’s test cases (skipped when ../shared/conformance is missing)',
  () => {
    const found: Record<string, string> = {};
    let right = 0;
    for (const file of readdirSync(CASES).filter((name) => name.endsWith('.json'))) {
      const { tests } = JSON.parse(readFileSync(join(CASES, file), 'utf8')) as { tests: readonly Case[] };
      for (const each of tests) {
        const sql = each.statements.join('\n');
        for (const format of each.format ?? ['']) {
          if (/AVRO|PROTOBUF|JSON_SR/i.test(sql + format) || TEST_FUNCTIONS.test(sql)) continue;
          const outcome = outcomeOf(each, format);
          if (outcome === 'right') right++;
          else found[`${file} ${each.name}`] = outcome;
        }
      }
    }
    expect(found).toEqual(DIFFERENCES);
    expect(right).toBeGreaterThan(1150);
  },
);
