import { DataError, SqlError } from '../common/error.ts';
import { printIdentifier } from '../types/print-type.ts';
import type { Format } from './format.ts';
import { checkProperties } from './settings.ts';
import { textRecords } from './test-records.ts';

/** The key format of streams without a key: no columns; whatever bytes stand there are not read, and none are written. */
export const none: Format = {
  name: 'NONE',
  properties: [],
  singleColumn: 'always-unwrapped',
  multiColumn: false,
  namesColumns: false,
  registered: false,
  loneNull: 'no-value',
  noValue: null,
  textIsBytes: false,
  rawRanges: false,
  validate(columns, settings) {
    checkProperties(none, settings);
    if (columns.length > 0)
      throw new SqlError(
        'ML_FORMAT',
        `format NONE holds no columns, so ${columns.map((column) => printIdentifier(column.name)).join(', ')} cannot be stored`,
        { hint: 'name a format with KEY_FORMAT or VALUE_FORMAT, for instance JSON' },
      );
    if (!settings.isKey)
      throw new SqlError('ML_FORMAT', 'format NONE is for keys only', {
        hint: 'name another format with VALUE_FORMAT',
      });
  },
  openDecoder: () => ({ decode() {}, rawRanges: null, rawFallback: () => null }),
  openEncoder: () => ({ encode() {} }),
  openWrittenKey: () => null,
  guesses: [],
  testRecords: {
    ...textRecords,
    decode() {
      throw new DataError('test records of format NONE are not read');
    },
  },
};
