import type {
  Entity,
  FieldDescription,
  FieldSchema,
  QueryDescription,
  QueryListing,
  SourceDescription,
} from '../../engine/result.ts';

/** An entity as people read it: a table, or text (`rows` null). `text` of a table comes before it. */
export type EntityTable =
  | { readonly rows: null; readonly text: string }
  | {
      readonly rows: readonly (readonly string[])[];
      readonly columns: readonly string[];
      readonly text: string;
    };

export function entityTable(entity: Entity): EntityTable {
  switch (entity['@type']) {
    case 'currentStatus':
      return text(entity.commandStatus.message);
    case 'message':
    case 'warning_entity':
      return text(entity.message);
    case 'streams':
      return sources(entity.streams);
    case 'tables':
      return sources(entity.tables);
    case 'kafka_topics':
      return table(
        ['Topic', 'Partitions', 'Replicas'],
        entity.topics.map((each) => [
          each.name,
          String(each.replicaInfo.length),
          String(each.replicaInfo[0] ?? 0),
        ]),
      );
    case 'kafka_topics_extended':
      return table(
        ['Topic', 'Partitions', 'Replicas', 'Queries that read it'],
        entity.topics.map((each) => [
          each.name,
          String(each.replicaInfo.length),
          String(each.replicaInfo[0] ?? 0),
          String(each.consumerCount),
        ]),
      );
    case 'queries':
      return queries(entity.queries);
    case 'sourceDescription':
      return sourceTable(entity.sourceDescription);
    case 'source_descriptions':
      if (entity.sourceDescriptions.some((each) => each.extended))
        return text(entity.sourceDescriptions.map((each) => extendedText(each, true)).join('\n\n'));
      return table(
        ['Name', 'Topic', 'Field', 'Type'],
        entity.sourceDescriptions.flatMap(({ name, topic, fields }) =>
          fields.map((field) => [name, topic, ...fieldRow(field)]),
        ),
      );
    case 'assert_topic':
      return text(`Topic ${entity.topicName} ${entity.exists ? 'exists' : 'does not exist'}`);
    case 'queryDescription':
      return text(queryText(entity.queryDescription));
    case 'query_descriptions':
      return text(entity.queryDescriptions.map(queryText).join('\n\n'));
    case 'properties':
      return table(
        ['Property', 'Scope', 'Value'],
        entity.properties.map((each) => [each.name, each.scope, each.value ?? '']),
      );
    case 'function_names':
      return table(
        ['Function', 'Type', 'Category'],
        entity.functions.map((each) => [each.name, each.type, each.category]),
      );
    case 'describe_function':
      return text(typeof entity['text'] === 'string' ? entity['text'] : JSON.stringify(entity, null, 2));
    case 'type_list':
      return table(
        ['Type', 'Definition'],
        Object.entries(entity.types).map(([name, schema]) => [name, schemaText(schema)]),
      );
    case 'variables':
      return table(
        ['Variable', 'Value'],
        entity.variables.map((each) => [each.name, each.value]),
      );
    case 'terminate_query':
      return text(
        entity.wasTerminated
          ? `Query ${entity.queryId} terminated`
          : `Query ${entity.queryId} was not running`,
      );
  }
}

function sourceTable(source: SourceDescription): EntityTable {
  return table(['Field', 'Type'], source.fields.map(fieldRow), extendedText(source, false));
}

/** The lines about a source before its fields, or with them as a list. */
function extendedText(source: SourceDescription, withFields: boolean): string {
  const { name, type, topic, keyFormat, valueFormat, windowType } = source;
  const window = windowType === null ? '' : `, ${windowType.toLowerCase()} windows`;
  const lines = [`${type} ${name} over topic ${topic} (key ${keyFormat}, value ${valueFormat}${window})`];
  if (source.extended)
    lines.push(
      `${source.partitions} ${source.partitions === 1 ? 'partition' : 'partitions'}, replicas ${source.replication}`,
    );
  if (source.timestamp !== '') lines.push(`timestamp from ${source.timestamp}`);
  if (withFields) lines.push(...source.fields.map((field) => `  ${fieldRow(field).join(' ')}`));
  const ids = (queries: readonly QueryListing[]): string => queries.map((each) => each.id).join(', ');
  if (source.writeQueries.length > 0) lines.push(`written by ${ids(source.writeQueries)}`);
  if (source.readQueries.length > 0) lines.push(`read by ${ids(source.readQueries)}`);
  if (!source.extended) return lines.join('\n');
  if (source.statement !== '') lines.push(`statement: ${source.statement}`);
  if (source.statistics !== '') lines.push('processed since the start:', indent(source.statistics));
  if (source.errorStats !== '') lines.push('latest errors:', indent(source.errorStats));
  for (const { groupId, topicSummaries } of source.queryOffsetSummaries)
    for (const { kafkaTopic, offsets } of topicSummaries) {
      lines.push(`group ${groupId} in topic ${kafkaTopic}:`);
      for (const { partition, logStartOffset, logEndOffset, consumerOffset } of offsets)
        lines.push(
          `  partition ${partition}: at ${consumerOffset} of ${logStartOffset}..${logEndOffset}, ${Math.max(0, logEndOffset - consumerOffset)} behind`,
        );
    }
  return lines.join('\n');
}

function indent(text: string): string {
  return text.replaceAll(/^/gm, '  ');
}

function queryText(query: QueryDescription): string {
  const { id, state, statementText, sources, sinks, queryErrors, executionPlan, topology } = query;
  const head = [id, state].filter((each) => each !== null && each !== '').join(' ');
  const lines = [head, statementText];
  if (query.owner !== undefined) lines.push(`runs in another process of the service: ${query.owner}`);
  if (query.restoring !== undefined) lines.push(`restores its state: ${query.restoring}`);
  if (sources.length > 0) lines.push(`reads ${sources.join(', ')}`);
  if (sinks.length > 0) lines.push(`writes ${sinks.join(', ')}`);
  for (const { errorMessage } of queryErrors) lines.push(`error: ${errorMessage}`);
  for (const part of [executionPlan, topology]) if (part !== '') lines.push('', part.trimEnd());
  return lines.join('\n').trimStart();
}

function text(message: string): EntityTable {
  return { rows: null, text: message };
}

function table(columns: readonly string[], rows: readonly (readonly string[])[], head = ''): EntityTable {
  return { columns, rows, text: head };
}

function sources(
  listings: readonly {
    name: string;
    topic: string;
    keyFormat: string;
    valueFormat: string;
    isWindowed: boolean;
  }[],
): EntityTable {
  return table(
    ['Name', 'Topic', 'Key format', 'Value format', 'Windowed'],
    listings.map((each) => [
      each.name,
      each.topic,
      each.keyFormat,
      each.valueFormat,
      String(each.isWindowed),
    ]),
  );
}

function queries(listings: readonly QueryListing[]): EntityTable {
  return table(
    ['Query', 'Type', 'State', 'Sink', 'Topic', 'Statement'],
    listings.map((each) => [
      each.id,
      each.queryType,
      each.state,
      each.sinks.join(', '),
      each.sinkKafkaTopics.join(', '),
      each.queryString.replaceAll(/\s+/g, ' '),
    ]),
    [
      ...(listings[0]?.owner === undefined
        ? []
        : [`they run in another process of the service: ${listings[0].owner}`]),
      ...listings.flatMap(({ id, restoring }) =>
        restoring === undefined ? [] : [`${id} restores its state: ${restoring}`],
      ),
    ].join('\n'),
  );
}

function fieldRow(field: FieldDescription): string[] {
  const role = field.type === 'KEY' ? ' (key)' : field.type === 'HEADER' ? ' (header)' : '';
  return [field.name, `${schemaText(field.schema)}${role}`];
}

function schemaText(schema: FieldSchema): string {
  if (schema.parameters !== undefined)
    return `${schema.type}(${schema.parameters.precision}, ${schema.parameters.scale})`;
  if (schema.fields !== null)
    return `${schema.type}<${schema.fields.map((each) => `${each.name} ${schemaText(each.schema)}`).join(', ')}>`;
  if (schema.memberSchema !== null) {
    const key = schema.type === 'MAP' ? 'STRING, ' : '';
    return `${schema.type}<${key}${schemaText(schema.memberSchema)}>`;
  }
  return schema.type;
}
