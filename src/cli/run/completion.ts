const KEYWORDS =
  'SELECT FROM WHERE GROUP BY HAVING WINDOW TUMBLING HOPPING SESSION SIZE ADVANCE GRACE PERIOD EMIT CHANGES FINAL LIMIT ' +
  'CREATE OR REPLACE STREAM TABLE AS WITH INSERT INTO VALUES DROP IF EXISTS SHOW LIST STREAMS TABLES TOPICS QUERIES ' +
  'FUNCTIONS PROPERTIES TYPES VARIABLES DESCRIBE EXPLAIN TERMINATE PAUSE RESUME SET UNSET DEFINE PRINT BEGINNING ' +
  'UNDEFINE ALTER SYSTEM ASSERT TYPE FUNCTION AGGREGATE RETURNS LANGUAGE JAVASCRIPT TYPESCRIPT EXTENDED RUN SCRIPT SOURCE ' +
  'JOIN LEFT ON WITHIN PARTITION CASE WHEN THEN ELSE END CAST LIKE BETWEEN IN IS NULL NOT AND KEY PRIMARY';
const WORDS = KEYWORDS.split(' ');

/** Completions of the word at the end of `line`, names first, then keywords; and that word. */
export function completionsOf(line: string, names: readonly string[]): [string[], string] {
  const word = /[A-Za-z_][A-Za-z0-9_]*$/.exec(line)?.[0] ?? '';
  if (word === '') return [[], ''];
  const upper = word.toUpperCase();
  const found = [...new Set([...names, ...WORDS])].filter((each) => each.toUpperCase().startsWith(upper));
  return [found.map((each) => `${each} `), word];
}
