import { BYTES, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction } from '../function.ts';
import { fixed, parameter, scalars } from '../signature.ts';
import { textOf } from './encoding.ts';

function uuidText(bytes: Uint8Array): string {
  const hex = textOf(bytes, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

function randomUuid(random: () => number): string {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 16; i++) bytes[i] = Math.floor(random() * 256);
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return uuidText(bytes);
}

export const uuidFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'UUID',
    description: 'A random UUID, another one for each call, or the UUID that 16 bytes stand for.',
    examples: [['LEN(UUID())', '36']],
    nulls: 'propagate',
    volatile: true,
    signatures: [
      {
        parameters: [],
        returns: STRING,
        open: (_args, _returns, context) => () => randomUuid(context.random),
      },
      fixed([parameter('value', BYTES)], STRING, (bytes: Uint8Array) =>
        bytes.length === 16 ? uuidText(bytes) : null,
      ),
    ],
  },
]);
