import { expect, test } from 'vitest';
import {
  environmentSettings,
  environmentVariable,
  parseProperties,
} from '../../../src/common/properties-file.ts';

test('a file of settings is read as Java reads it', () => {
  const text = [
    '# a comment = no setting',
    '  ! another',
    'a=1',
    '  b : 2',
    'c 3',
    'd=',
    'e',
    'joined = one, \\',
    '         two \\',
    '    three',
    'path=C:\\\\dir\\ttab',
    'with\\ blank\\=sign=x=y',
    'letter=\\u0041\\u00e9',
    'ends=\\\\',
    'spaces =  kept at the end  ',
    'last=\\',
  ].join('\r\n');
  expect(parseProperties(text, 'f').map(({ name, value, where }) => [name, value, where])).toEqual([
    ['a', '1', 'f line 3'],
    ['b', '2', 'f line 4'],
    ['c', '3', 'f line 5'],
    ['d', '', 'f line 6'],
    ['e', '', 'f line 7'],
    ['joined', 'one, two three', 'f line 8'],
    ['path', 'C:\\dir\ttab', 'f line 11'],
    ['with blank=sign', 'x=y', 'f line 12'],
    ['letter', 'Aé', 'f line 13'],
    ['ends', '\\', 'f line 14'],
    ['spaces', 'kept at the end  ', 'f line 15'],
    ['last', '', 'f line 16'],
  ]);
});

test('variables name settings as Confluent’s images do', () => {
  const environment = { P_SASL_USERNAME: 'a', P_A__B___C_D: 'b', P_: 'none', OTHER: 'c', P_OPTS: 'd' };
  expect(environmentSettings(environment, 'P_', (name) => name === 'P_OPTS')).toEqual([
    { name: 'a_b-c.d', value: 'b', where: 'P_A__B___C_D' },
    { name: 'sasl.username', value: 'a', where: 'P_SASL_USERNAME' },
  ]);
  expect(environmentVariable('P_', 'a_b-c.d')).toBe('P_A__B___C_D');
});
