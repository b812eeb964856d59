import { delimited } from './delimited.ts';
import type { Format } from './format.ts';
import { json } from './json.ts';
import { kafka } from './kafka.ts';
import { none } from './none.ts';

/** Every format, in the order in which they are listed to users. */
export const FORMATS: readonly Format[] = [json, delimited, kafka, none];

/** ksqlDB's formats that are not here. */
export const ABSENT_FORMATS: readonly Pick<Format, 'name' | 'registered'>[] = [
  { name: 'AVRO', registered: true },
  { name: 'PROTOBUF', registered: true },
  { name: 'JSON_SR', registered: true },
  { name: 'PROTOBUF_NOSR', registered: false },
];
