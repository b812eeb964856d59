import type { Entity, FieldDescription, FieldSchema, QueryListing } from '../engine/result.ts';

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
    case 'queries':
      return queries(entity.queries);
    case 'sourceDescription': {
      const { name, type, topic, keyFormat, valueFormat, fields, readQueries, writeQueries } =
        entity.sourceDescription;
      const lines = [`${type} ${name} over topic ${topic} (key ${keyFormat}, value ${valueFormat})`];
      if (writeQueries.length > 0) lines.push(`written by ${writeQueries.map((each) => each.id).join(', ')}`);
      if (readQueries.length > 0) lines.push(`read by ${readQueries.map((each) => each.id).join(', ')}`);
      return table(['Field', 'Type'], fields.map(fieldRow), lines.join('\n'));
    }
    case 'source_descriptions':
      return table(
        ['Name', 'Topic', 'Field', 'Type'],
        entity.sourceDescriptions.flatMap(({ name, topic, fields }) =>
          fields.map((field) => [name, topic, ...fieldRow(field)]),
        ),
      );
    case 'assert_topic':
      return text(`Topic ${entity.topicName} ${entity.exists ? 'exists' : 'does not exist'}`);
    case 'queryDescription': {
      const { id, statementText, executionPlan, topology, state } = entity.queryDescription;
      const head = [id, state].filter((each) => each !== null && each !== '').join(' ');
      return text(
        [head, statementText, '', executionPlan.trimEnd(), '', topology.trimEnd()].join('\n').trimStart(),
      );
    }
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
