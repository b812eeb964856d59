import { DataError } from '../../common/error.ts';
import { INTEGER, STRING } from '../../types/sql-type.ts';
import type { ScalarFunction, ScalarSignature } from '../function.ts';
import { checked, fixed, parameter, scalar, scalars } from '../signature.ts';

type Character = string | null;

const UPPER = /\p{Uppercase}/u;
const LOWER = /\p{Lowercase}/u;
const DIGIT = /\p{Nd}/u;

/** What each class of characters becomes; null leaves the class as it is. */
interface Masks {
  readonly upper: Character;
  readonly lower: Character;
  readonly digit: Character;
  readonly other: Character;
}

const DEFAULT_MASKS: Masks = { upper: 'X', lower: 'x', digit: 'n', other: '-' };

function oneCharacter(mask: Character): Character {
  if (mask !== null && mask.length !== 1)
    throw new DataError(`the mask ${JSON.stringify(mask)} is not one character`);
  return mask;
}

/** Masks [start, end) of the text, one UTF-16 unit at a time. */
function mask(text: string, start: number, end: number, masks: Masks): string {
  let masked = text.slice(0, start);
  for (let i = start; i < end; i++) {
    const unit = text[i]!;
    const by = UPPER.test(unit)
      ? masks.upper
      : LOWER.test(unit)
        ? masks.lower
        : DIGIT.test(unit)
          ? masks.digit
          : masks.other;
    masked += by ?? unit;
  }
  return masked + text.slice(end);
}

const MASK_PARAMETERS = ['upper', 'lower', 'digit', 'other'].map((name) =>
  checked(parameter(name, STRING), oneCharacter),
);

type Range = (size: number, count: number) => readonly [start: number, end: number];

function checkCount(count: number): void {
  if (count < 0) throw new DataError(`${count} characters cannot be masked or kept`);
}

function counted(range: Range): ScalarSignature[] {
  const evaluate = (text: string | null, count: number | null, masks: Masks): string | null => {
    if (text === null || count === null) return null;
    checkCount(count);
    const [start, end] = range(text.length, Math.min(count, text.length));
    return mask(text, start, end, masks);
  };
  const parameters = [parameter('input', STRING), checked(parameter('count', INTEGER), checkCount)];
  return [
    fixed(parameters, STRING, (text: string | null, count: number | null) =>
      evaluate(text, count, DEFAULT_MASKS),
    ),
    fixed(
      [...parameters, ...MASK_PARAMETERS],
      STRING,
      (
        text: string | null,
        count: number | null,
        upper: Character,
        lower: Character,
        digit: Character,
        other: Character,
      ) =>
        evaluate(text, count, {
          upper: oneCharacter(upper),
          lower: oneCharacter(lower),
          digit: oneCharacter(digit),
          other: oneCharacter(other),
        }),
    ),
  ];
}

const HOW =
  'Upper-case letters become X, lower-case ones x, digits n, all else -, or the given characters (null leaves a class as it is).';

export const maskFunctions: readonly ScalarFunction[] = scalars('STRING', [
  scalar(
    'MASK',
    `Masks a text. ${HOW}`,
    ["MASK('My Test $123')", "'Xx-Xxxx--nnn'"],
    'handled',
    fixed([parameter('input', STRING)], STRING, (text: string | null) =>
      text === null ? null : mask(text, 0, text.length, DEFAULT_MASKS),
    ),
    fixed(
      [parameter('input', STRING), ...MASK_PARAMETERS],
      STRING,
      (text: string | null, upper: Character, lower: Character, digit: Character, other: Character) =>
        text === null
          ? null
          : mask(text, 0, text.length, {
              upper: oneCharacter(upper),
              lower: oneCharacter(lower),
              digit: oneCharacter(digit),
              other: oneCharacter(other),
            }),
    ),
  ),
  scalar(
    'MASK_KEEP_LEFT',
    `Masks all but the first characters. ${HOW}`,
    ["MASK_KEEP_LEFT('My Test $123', 4)", "'My Txxx--nnn'"],
    'handled',
    ...counted((size, count) => [count, size]),
  ),
  scalar(
    'MASK_KEEP_RIGHT',
    `Masks all but the last characters. ${HOW}`,
    ["MASK_KEEP_RIGHT('My Test $123', 4)", "'Xx-Xxxx-$123'"],
    'handled',
    ...counted((size, count) => [0, size - count]),
  ),
  scalar(
    'MASK_LEFT',
    `Masks the first characters. ${HOW}`,
    ["MASK_LEFT('My Test $123', 4)", "'Xx-Xest $123'"],
    'handled',
    ...counted((_size, count) => [0, count]),
  ),
  scalar(
    'MASK_RIGHT',
    `Masks the last characters. ${HOW}`,
    ["MASK_RIGHT('My Test $123', 4)", "'My Test -nnn'"],
    'handled',
    ...counted((size, count) => [size - count, size]),
  ),
]);
