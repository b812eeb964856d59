import type { ValueCodec } from '../../src/state/store.ts';

/** State values that are numbers. */
export const numberValues: ValueCodec = {
  encode: (value, writer) => writer.writeDouble(value as number),
  decode: (buffer, start) => (buffer as Buffer).readDoubleBE(start),
};
