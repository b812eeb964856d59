import { equalTypes } from '../../types/equal-types.ts';
import { printIdentifier, printType } from '../../types/print-type.ts';
import type { Schema } from '../../types/schema.ts';
import type { CatalogSource, SideFormat } from '../catalog/source.ts';
import type { AssertSource } from '../parser/ast.ts';
import type { AnalyzeContext } from './analyze-context.ts';
import { schemaOf, timestampOf, windowOf } from './analyze-source.ts';
import { WithProperties } from './with-properties.ts';

/**
 * ASSERT STREAM|TABLE: how the source differs from what the statement says of it, each in a few words. What the
 * statement leaves out may be anything. Throws `SqlError` when the statement itself makes no sense.
 */
export function differencesOfSource(
  statement: AssertSource,
  source: CatalogSource,
  context: AnalyzeContext,
): readonly string[] {
  if (source.type !== statement.sourceKind) return [`it is a ${source.type}`];
  const differences: string[] = [];
  const compare = (
    what: string,
    wanted: string | number | boolean | null,
    found: string | number | boolean,
  ) => {
    if (wanted !== null && wanted !== found) differences.push(`its ${what} is ${found}, not ${wanted}`);
  };
  if (statement.elements.length > 0) {
    const wanted = schemaOf(statement.elements, statement.sourceKind, context.catalog);
    if (!equalSchemas(wanted, source.schema))
      differences.push(`its columns are ${schemaText(source.schema)}, not ${schemaText(wanted)}`);
  }
  const properties = new WithProperties(statement.properties, 'create');
  compare('topic', properties.text('KAFKA_TOPIC'), source.topic);
  compare('number of partitions', properties.number('PARTITIONS'), source.partitions);
  for (const [side, format] of [
    ['KEY', source.keyFormat],
    ['VALUE', source.valueFormat],
  ] as const) {
    compare(`${side.toLowerCase()} format`, properties.formatName(side)?.name ?? null, format.name);
    const delimiter = properties.text(`${side}_DELIMITER`);
    compare(`${side.toLowerCase()} delimiter`, delimiter, propertyOf(format, 'DELIMITER') ?? ',');
  }
  compare('WRAP_SINGLE_VALUE', properties.truth('WRAP_SINGLE_VALUE'), source.valueFormat.wrapped);
  const timestamp = timestampOf(properties, [...source.schema.key, ...source.schema.value]);
  compare('timestamp column', timestamp?.column ?? null, source.timestamp?.column ?? 'ROWTIME');
  compare('timestamp format', timestamp?.format ?? null, source.timestamp?.format ?? 'none');
  const window = windowOf(properties);
  compare('window', window?.kind.toUpperCase() ?? null, source.window?.kind.toUpperCase() ?? 'none');
  compare('window size in milliseconds', window?.sizeMs ?? null, source.window?.sizeMs ?? 'none');
  return differences;
}

function propertyOf(format: SideFormat, name: string): string | undefined {
  return format.properties.find(([each]) => each === name)?.[1];
}

function equalSchemas(one: Schema, other: Schema): boolean {
  return (['key', 'value', 'headers'] as const).every(
    (part) =>
      one[part].length === other[part].length &&
      one[part].every(({ name, type }, i) => {
        const same = other[part][i]!;
        return name === same.name && equalTypes(type, same.type);
      }) &&
      one.headers.every(({ headerKey }, i) => headerKey === other.headers[i]?.headerKey),
  );
}

function schemaText({ key, value, headers }: Schema): string {
  const columns = [
    ...key.map(({ name, type }) => `${printIdentifier(name)} ${printType(type)} KEY`),
    ...value.map(({ name, type }) => `${printIdentifier(name)} ${printType(type)}`),
    ...headers.map(({ name, headerKey }) =>
      headerKey === null
        ? `${printIdentifier(name)} HEADERS`
        : `${printIdentifier(name)} HEADER('${headerKey}')`,
    ),
  ];
  return `(${columns.join(', ')})`;
}
