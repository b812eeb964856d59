/** Expressions over the columns of `CHAIN_SOURCE` that are long without being nested: as many terms as are asked for. */
export interface Chain {
  readonly name: string;
  readonly type: 'number' | 'boolean' | 'string';
  readonly sql: (terms: number) => string;
}

export const CHAIN_SOURCE =
  "(K STRING KEY, A INT, B BOOLEAN, S STRING, D DECIMAL(4, 2), X DOUBLE, L ARRAY<INT>) WITH (KAFKA_TOPIC='s', VALUE_FORMAT='JSON', PARTITIONS=1)";

const repeat = (terms: number, text: string, between: string): string =>
  Array.from({ length: terms }, () => text).join(between);

export const CHAINS: readonly Chain[] = [
  ...['+', '-', '*', '/', '%'].map((operator): Chain => ({
    name: `A ${operator} 1`,
    type: 'number',
    sql: (terms) => `A ${operator} ${repeat(terms, '1', ` ${operator} `)}`,
  })),
  { name: 'A + A', type: 'number', sql: (terms) => repeat(terms, 'A', ' + ') },
  { name: '1 + 1', type: 'number', sql: (terms) => repeat(terms, '1', ' + ') },
  { name: 'X + A', type: 'number', sql: (terms) => repeat(terms / 2, 'X + A', ' * ') },
  { name: '1 / 0', type: 'number', sql: (terms) => `1 / 0 + ${repeat(terms, '1', ' + ')}` },
  { name: 'OR', type: 'boolean', sql: (terms) => repeat(terms, 'B', ' OR ') },
  { name: 'AND', type: 'boolean', sql: (terms) => repeat(terms, 'B', ' AND ') },
  {
    name: 'K = … OR',
    type: 'boolean',
    sql: (terms) => Array.from({ length: terms / 4 }, (_, i) => `K = 'k${i}'`).join(' OR '),
  },
  { name: 'A > … AND', type: 'boolean', sql: (terms) => repeat(terms / 4, 'A > 0', ' AND ') },
  {
    name: 'K = constant OR',
    type: 'boolean',
    sql: (terms) => Array.from({ length: terms / 4 }, (_, i) => `K = 'k' || '${i}'`).join(' OR '),
  },
  { name: 'S ||', type: 'string', sql: (terms) => repeat(terms, 'S', ' || ') },
  { name: 'S + S', type: 'string', sql: (terms) => repeat(terms, 'S', ' + ') },
  { name: 'failing ||', type: 'string', sql: (terms) => repeat(terms / 4, "(S + 'x')", ' || ') },
  { name: 'NOT', type: 'boolean', sql: (terms) => `${'NOT '.repeat(terms)}B` },
  { name: 'minus', type: 'number', sql: (terms) => `${'- '.repeat(terms)}A` },
  { name: 'plus', type: 'number', sql: (terms) => `${'+ '.repeat(terms)}A` },
  {
    name: 'CASE WHEN',
    type: 'number',
    sql: (terms) => `CASE ${repeat(terms, 'WHEN B THEN 1', ' ')} ELSE A END`,
  },
  {
    name: 'CASE A WHEN',
    type: 'number',
    sql: (terms) => `CASE A + 1 ${repeat(terms, 'WHEN 0 THEN 1', ' ')} ELSE A END`,
  },
  { name: 'IN', type: 'boolean', sql: (terms) => `A IN (${repeat(terms, '5', ', ')})` },
  { name: 'IN expressions', type: 'boolean', sql: (terms) => `A IN (${repeat(terms / 4, 'A + 1', ', ')})` },
  { name: 'BETWEEN', type: 'boolean', sql: (terms) => repeat(terms / 5, '(A + 1 BETWEEN 1 AND 5)', ' AND ') },
  { name: 'ARRAY', type: 'number', sql: (terms) => `ARRAY[${repeat(terms, 'A', ', ')}][5]` },
  { name: 'LIKE', type: 'boolean', sql: (terms) => repeat(terms / 4, "S LIKE 'a%'", ' OR ') },
];

export interface Nested {
  readonly name: string;
  readonly sql: (levels: number) => string;
}

/** Expressions over the same columns in which everything stands within something else. */
export const NESTED: readonly Nested[] = [
  { name: 'parentheses', sql: (levels) => around(levels, '(', 'A', ')') },
  { name: 'calls', sql: (levels) => around(levels, 'ABS(', 'A', ')') },
  { name: 'variadic calls', sql: (levels) => around(levels, 'CONCAT(S, ', 'S', ')') },
  { name: 'sums', sql: (levels) => around(levels, '(1 + ', 'A', ')') },
  { name: 'conditions', sql: (levels) => around(levels, '(B AND ', 'B', ')') },
  { name: 'results of CASE', sql: (levels) => around(levels, 'CASE WHEN B THEN ', 'A', ' END') },
  { name: 'ELSE of CASE', sql: (levels) => around(levels, 'CASE WHEN NOT B THEN 1 ELSE ', 'A', ' END') },
  {
    name: 'operands of CASE',
    sql: (levels) => around(levels, 'CASE ', 'A', ' WHEN 2 THEN 2 WHEN 3 THEN 3 END'),
  },
  {
    name: 'operands of BETWEEN',
    sql: (levels) => around(levels - 1, 'ABS(CASE WHEN ', 'A', ' BETWEEN 1 AND 2 THEN 2 END)', 2),
  },
  { name: 'casts', sql: (levels) => around(levels, 'CAST(CAST(', 'A', ' AS STRING) AS INT)', 2) },
  { name: 'lists', sql: (levels) => around(levels, 'B IN (', 'B', ')') },
  { name: 'subscripts', sql: (levels) => around(levels, 'L[', '1', ']') },
  { name: 'arrays', sql: (levels) => around(levels - 1, 'ARRAY[', 'A', ']') },
  { name: 'maps', sql: (levels) => around(levels - 1, "MAP('x' := ", 'A', ')') },
  { name: 'structs', sql: (levels) => around(levels - 1, 'STRUCT(F := ', 'A', ')') },
  {
    name: 'lambdas',
    sql: (levels) =>
      `${Array.from({ length: Math.floor(levels / 3) }, (_, i) => `ARRAY_LENGTH(TRANSFORM(ARRAY[1], X${i} => `).join('')}A${'))'.repeat(Math.floor(levels / 3))}`,
  },
];

/** `each`: how many levels one pair of texts makes. */
function around(levels: number, before: string, inner: string, after: string, each = 1): string {
  const times = Math.floor(levels / each);
  return before.repeat(times) + inner + after.repeat(times);
}
