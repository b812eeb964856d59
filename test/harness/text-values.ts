import type { ByteWriter } from '../../src/common/bytes.ts';
import type { ValueCodec } from '../../src/state/store.ts';

/** State values that are text. */
export const textValues: ValueCodec = {
  encode: (value, writer: ByteWriter) => writer.writeText(value as string),
  decode: (buffer, start, end) => Buffer.from(buffer.subarray(start, end)).toString('utf8'),
};
