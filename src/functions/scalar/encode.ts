import { DataError } from '../../common/error.ts';
import { BYTES, STRING } from '../../types/sql-type.ts';
import type { Parameter, ScalarFunction } from '../function.ts';
import { checked, fixed, parameter, scalars } from '../signature.ts';
import { bytesOf, encodedBytes, encodingOf, textOf } from './encoding.ts';

/** ENCODE's are not checked: ksqlDB's own cases have null for one that is none. */
const encoding = (name: string): Parameter => checked(parameter(name, STRING), encodingOf);

export const encodeFunctions: readonly ScalarFunction[] = scalars('STRING', [
  {
    name: 'ENCODE',
    description: 'Rewrites text from one encoding to another: hex, utf8, ascii or base64.',
    examples: [["ENCODE('4578616d706c6521', 'hex', 'utf8')", "'Example!'"]],
    nulls: 'propagate',
    signatures: [
      fixed(
        [parameter('input', STRING), parameter('from', STRING), parameter('to', STRING)],
        STRING,
        (input: string, from: string, to: string) => {
          const source = encodingOf(from);
          const target = encodingOf(to);
          if (source === target) throw new DataError(`ENCODE from ${from} to itself`);
          return textOf(encodedBytes(input, source), target);
        },
      ),
    ],
  },
  {
    name: 'FROM_BYTES',
    description: 'Bytes as text in an encoding: hex (in upper case), utf8, ascii or base64.',
    examples: [["FROM_BYTES(TO_BYTES('1ab2', 'hex'), 'hex')", "'1AB2'"]],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('value', BYTES), encoding('encoding')], STRING, (value: Uint8Array, name: string) => {
        const target = encodingOf(name);
        const text = textOf(value, target);
        return target === 'hex' ? text.toUpperCase() : text;
      }),
    ],
  },
  {
    name: 'TO_BYTES',
    description: 'The bytes that a text writes in an encoding: hex, utf8, ascii or base64.',
    examples: [["LEN(TO_BYTES('1ab2', 'hex'))", '2']],
    nulls: 'propagate',
    signatures: [
      fixed([parameter('value', STRING), encoding('encoding')], BYTES, (value: string, name: string) =>
        bytesOf(value, encodingOf(name)),
      ),
    ],
  },
]);
