import { delimited } from './delimited.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { kafka } from './kafka.ts';
import { none } from './none.ts';

/** Every format, in the order in which they are listed to users. */
export const FORMATS: readonly Format[] = [json, delimited, kafka, none];

const SCHEMA_PROPERTIES: Format['properties'] = [
  { name: 'SCHEMA_FULL_NAME', inherited: false },
  { name: 'SCHEMA_ID', inherited: false },
];
const NULLABLE: Format['properties'] = [{ name: 'PROTOBUF_NULLABLE_REPRESENTATION', inherited: true }];

/** ksqlDB's formats that are not here. */
export const ABSENT_FORMATS: readonly Pick<Format, 'name' | 'properties' | 'registered'>[] = [
  { name: 'AVRO', properties: SCHEMA_PROPERTIES, registered: true },
  { name: 'PROTOBUF', properties: [...SCHEMA_PROPERTIES, ...NULLABLE], registered: true },
  { name: 'JSON_SR', properties: SCHEMA_PROPERTIES, registered: true },
  { name: 'PROTOBUF_NOSR', properties: NULLABLE, registered: false },
];
