import { type JsonNode, printJson } from '../types/json-node.ts';
import type { Column } from '../types/schema.ts';

/** How test files, which are JSON, have the keys and values of a format. Nulls never come here. */
export interface TestRecords {
  /** The bytes that a producer would send. Throws `DataError`. */
  encode(node: JsonNode, columns: readonly Column[]): Buffer;
  /** The bytes as a test file would have them. Throws `DataError`. */
  decode(bytes: Buffer, columns: readonly Column[]): JsonNode;
  /** Whether all is text, so that a number in a test file stands for the text of it. */
  readonly isText: boolean;
}

/** For formats of text: test files hold it as it is. */
export const textRecords: TestRecords = {
  isText: true,
  encode: (node) => Buffer.from(plainText(node)),
  decode: (bytes) => bytes.toString(),
};

/** A text as it is, a number as it was written, anything else as JSON. */
export function plainText(node: JsonNode): string {
  return typeof node === 'string' ? node : printJson(node);
}
