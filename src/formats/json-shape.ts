import type { SqlType } from '../types/sql-type.ts';
import { ANY_NUMBER, NO_NUMBER, numberShape, type NumberShape, wholeRange } from './plain-number.ts';

/** STRING, which takes any JSON value, and fields that nobody declared. */
export const ANYTHING = 0;
export const WHOLE = 1;
/** A whole number of which some values are not exact in a double. */
export const BIGINT = 2;
export const DOUBLE = 3;
export const DECIMAL = 4;
export const BOOLEAN = 5;
export const BYTES = 6;
export const ARRAY = 7;
export const MAP = 8;
export const STRUCT = 9;

/** Which bytes of JSON are surely a value of a type, by the rules of `openCoerce`; `JsonWalk` follows it. */
export interface Shape {
  readonly code: number;
  /** Whole numbers, while they are exact in a double. */
  readonly least: number;
  readonly most: number;
  readonly number: NumberShape;
  /** Items of an ARRAY, values of a MAP. */
  readonly item: Shape | null;
  /** Fields of a STRUCT by the length of their names; their positions are those of the type. */
  readonly fields: readonly (readonly ShapeField[] | undefined)[];
}

export interface ShapeField {
  readonly nameBytes: Uint8Array;
  readonly position: number;
  readonly shape: Shape;
}

const BLANK: Shape = {
  code: ANYTHING,
  least: 0,
  most: 0,
  number: NO_NUMBER,
  item: null,
  fields: [],
};

export const ANY_SHAPE: Shape = { ...BLANK, number: ANY_NUMBER };

export function shapeOf(type: SqlType): Shape {
  const scalar = { ...BLANK, ...wholeRange(type), number: numberShape(type) };
  switch (type.kind) {
    case 'string':
      return ANY_SHAPE;
    case 'integer':
    case 'date':
    case 'time':
    case 'timestamp':
      return { ...scalar, code: WHOLE };
    case 'bigint':
      return { ...scalar, code: BIGINT };
    case 'double':
      return { ...scalar, code: DOUBLE };
    case 'decimal':
      return { ...scalar, code: DECIMAL };
    case 'boolean':
      return { ...scalar, code: BOOLEAN };
    case 'bytes':
      return { ...scalar, code: BYTES };
    case 'array':
      return { ...BLANK, code: ARRAY, item: shapeOf(type.element) };
    case 'map':
      return { ...BLANK, code: MAP, item: shapeOf(type.value) };
    case 'struct':
      return structShape(type.fields);
  }
}

/** The shape of an object with these fields: a STRUCT, or a record. */
export function structShape(fields: readonly { readonly name: string; readonly type: SqlType }[]): Shape {
  const byLength: ShapeField[][] = [];
  fields.forEach(({ name, type }, position) => {
    const nameBytes = Buffer.from(name);
    (byLength[nameBytes.length] ??= []).push({ nameBytes, position, shape: shapeOf(type) });
  });
  return { ...BLANK, code: STRUCT, fields: byLength };
}

/** The field of an object whose name is the ASCII bytes, as they are or in upper case; null when nobody declared it. */
export function fieldNamed(shape: Shape, buffer: Uint8Array, start: number, end: number): ShapeField | null {
  const fields = shape.fields[end - start];
  if (fields === undefined) return null;
  for (let i = 0; i < fields.length; i++) if (isNamed(fields[i]!.nameBytes, buffer, start)) return fields[i]!;
  return null;
}

function isNamed(name: Uint8Array, buffer: Uint8Array, start: number): boolean {
  let exact = true;
  let upper = true;
  for (let i = 0; i < name.length; i++) {
    const byte = buffer[start + i]!;
    if (byte !== name[i]) exact = false;
    if ((byte >= 0x61 && byte <= 0x7a ? byte - 0x20 : byte) !== name[i]) upper = false;
    if (!exact && !upper) return false;
  }
  return true;
}
