import { describe, expect, test } from 'vitest';
import { ByteWriter } from '../../../../src/common/bytes.ts';
import { DataError } from '../../../../src/common/error.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { Serde } from '../../../../src/streams/topology/serde.ts';

function hexOf(serde: Serde, value: unknown): string {
  const writer = new ByteWriter(16);
  serde.serialize(value, writer);
  return Buffer.from(writer.toBytes()).toString('hex');
}

function read(serde: Serde, hex: string): unknown {
  const bytes = Buffer.from(`ffff${hex}ff`, 'hex');
  return serde.deserialize(bytes, 2, bytes.length - 1);
}

const UUID = '0188d5a3-0000-4000-8000-0000000000ff';
const UUID_HEX = Buffer.from(UUID).toString('hex');
// oxlint-disable-next-line no-explicit-any
type Any = Serde<any>;

/** Bytes that the serializers of Kafka's own clients 4.4 wrote. */
const WRITTEN: readonly (readonly [name: string, serde: Any, value: unknown, hex: string])[] = [
  ['short', Serdes.short, -2, 'fffe'],
  ['float', Serdes.float, 1.5, '3fc00000'],
  ['boolean', Serdes.boolean, true, '01'],
  ['boolean', Serdes.boolean, false, '00'],
  ['uuid', Serdes.uuid, UUID, UUID_HEX],
  [
    'list of texts',
    Serdes.list<string | null>(Serdes.string),
    ['a', null, '', 'bcd'],
    '01000000040000000161ffffffff0000000000000003626364',
  ],
  [
    'list of integers',
    Serdes.list<number | null>(Serdes.integer),
    [1, null, -1],
    '0000000001000000010000000300000001ffffffff',
  ],
  ['list of uuids', Serdes.list<string>(Serdes.uuid), [UUID], `000000000000000001${UUID_HEX}`],
  ['list of shorts', Serdes.list<number | null>(Serdes.short), [7, null], '000000000100000001000000020007'],
  ['list of nothing', Serdes.list<number>(Serdes.integer), [], '000000000000000000'],
  ['list of nothing', Serdes.list<string>(Serdes.string), [], '0100000000'],
  ['list of doubles', Serdes.list<number>(Serdes.double), [1], '0000000000000000013ff0000000000000'],
  ['list of booleans', Serdes.list<boolean>(Serdes.boolean), [true], '01000000010000000101'],
];

describe('serdes write and read the bytes of Kafka’s', () => {
  test.each(WRITTEN)('%s', (_, serde, value, hex) => {
    expect(hexOf(serde as Serde, value)).toBe(hex);
    expect(read(serde as Serde, hex)).toEqual(value);
  });
});

test('a list of lists', () => {
  const serde = Serdes.list<readonly number[]>(Serdes.list<number>(Serdes.short));
  expect(read(serde as Serde, hexOf(serde as Serde, [[1, 2], [], [3]]))).toEqual([[1, 2], [], [3]]);
});

describe('what does not fit is refused', () => {
  test.each<[string, Any, unknown]>([
    ['string', Serdes.string, 5],
    ['long', Serdes.long, 1.5],
    ['long', Serdes.long, '5'],
    ['bigLong', Serdes.bigLong, 2n ** 63n],
    ['integer', Serdes.integer, 2 ** 31],
    ['short', Serdes.short, 40_000],
    ['double', Serdes.double, '1'],
    ['float', Serdes.float, null],
    ['boolean', Serdes.boolean, 1],
    ['uuid', Serdes.uuid, 'nobody'],
    ['bytes', Serdes.bytes, 'text'],
    ['json', Serdes.json(), undefined],
    ['list', Serdes.list<string>(Serdes.string), 'abc'],
  ])('by %s before it is written', (_, serde, value) => {
    expect(() => serde.check!(value)).toThrow(DataError);
  });

  test.each<[string, Any, string]>([
    ['boolean', Serdes.boolean, '02'],
    ['uuid', Serdes.uuid, '00'.repeat(36)],
    ['void', Serdes.void as Any, '00'],
    ['short', Serdes.short, '00'],
    ['list', Serdes.list<number>(Serdes.integer), '00000000000000000200000001'],
    ['list', Serdes.list<string>(Serdes.string), '010000000100000005ff'],
    ['list', Serdes.list<string>(Serdes.string), '0100000000ff'],
    ['list', Serdes.list<string>(Serdes.string), '02'],
    ['list', Serdes.list<string>(Serdes.string), '000000000000000000'],
    ['list', Serdes.list<string>(Serdes.string), ''],
  ])('by %s when it is read', (_, serde, hex) => {
    expect(() => read(serde as Serde, hex)).toThrow(DataError);
  });
});
