/**
 * What other databases (PostgreSQL, MySQL, SQL Server, Oracle, BigQuery, Flink, Materialize) write and this language does not,
 * with what does the same here. Each entry has statements that do what its hint says; a test takes them through the
 * analyzer, and wants every keyword and function of the hint in them. Nothing that does not work is suggested.
 */
export interface Elsewhere {
  readonly hint: string;
  /** Over the sources that `elsewhere.test.ts` declares. */
  readonly works: string;
}

export interface ElsewhereWords extends Elsewhere {
  /**
   * Words and signs as they follow each other; that in brackets is pointed at (the last where none is). `^` begins the
   * statement, `*` is any token, and with `…` in front the words may stand anywhere before the mistake.
   */
  readonly words: string;
}

const entry = (words: string, hint: string, works: string): ElsewhereWords => ({ words, hint, works });
const all = (words: readonly string[], hint: string, works: string): readonly ElsewhereWords[] =>
  words.map((each) => entry(each, hint, works));

const UNITS = 'units of time are DAYS, HOURS, MINUTES, SECONDS and MILLISECONDS';
const UNITS_WORK = ['DAYS', 'HOURS', 'MINUTES', 'SECONDS', 'MILLISECONDS']
  .map(
    (unit) =>
      `SELECT ITEM, COUNT(*) FROM ORDERS WINDOW TUMBLING (SIZE 1 ${unit}) GROUP BY ITEM EMIT CHANGES;`,
  )
  .join(' ');
const NAMED = 'give the inner query a name, CREATE STREAM or TABLE … AS SELECT, and read from that';
const NAMED_WORKS =
  'CREATE STREAM BIG AS SELECT * FROM ORDERS WHERE AMOUNT > 10; CREATE TABLE NUMBERS AS SELECT ITEM, COUNT(*) AS N FROM ORDERS GROUP BY ITEM; SELECT * FROM BIG EMIT CHANGES;';
const LATEST =
  'the latest row of each key is a table: CREATE TABLE … AS SELECT …, LATEST_BY_OFFSET(column) … GROUP BY';
const LATEST_WORKS =
  'CREATE TABLE LATEST AS SELECT ITEM, LATEST_BY_OFFSET(AMOUNT) AS AMOUNT FROM ORDERS GROUP BY ITEM;';
const TOP = 'the largest values of each group: TOPK(column, 3) with GROUP BY; the number of rows: LIMIT';
const TOP_WORKS =
  'SELECT ITEM, TOPK(AMOUNT, 3) FROM ORDERS GROUP BY ITEM EMIT CHANGES; SELECT * FROM ORDERS EMIT CHANGES LIMIT 3;';
const ON = 'a join is by one condition: JOIN … ON left.column = right.column';
const ON_WORKS = 'SELECT * FROM ORDERS O JOIN USERS U ON O.ID = U.UID EMIT CHANGES;';
const REPLACED = 'INSERT INTO a table with the same key replaces its row';
const REPLACED_WORKS = "INSERT INTO USERS (UID, NAME) VALUES (1, 'ann');";
const PUT = 'a row is written with INSERT INTO … VALUES, one for each statement';
const MATCHED = 'a JOIN with the other source keeps the rows that it has';
const CONDITION = 'count only what fits: SUM(CASE WHEN … THEN 1 ELSE 0 END)';
const CONDITION_WORKS =
  'SELECT ITEM, SUM(CASE WHEN AMOUNT > 1 THEN 1 ELSE 0 END) FROM ORDERS GROUP BY ITEM EMIT CHANGES;';
const NO_TRANSACTIONS = 'every statement takes effect by itself: run them one after another';
const NONE = '';
const KEYS = 'put PRIMARY KEY after the type of the one column that is the key of the record';
const KEYS_WORK =
  "CREATE TABLE T (A INT PRIMARY KEY, B INT) WITH (KAFKA_TOPIC='t', VALUE_FORMAT='JSON', PARTITIONS=1);";
const UNCHECKED = 'columns have a name and a type; keep bad rows out with CREATE STREAM … AS SELECT … WHERE';
const UNCHECKED_WORKS = 'CREATE STREAM GOOD AS SELECT * FROM ORDERS WHERE AMOUNT IS NOT NULL;';
const WINDOWS = 'windows are a clause: FROM source WINDOW TUMBLING (SIZE 1 HOUR) … GROUP BY';
const WINDOWS_WORK =
  'SELECT ITEM, COUNT(*) FROM ORDERS WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ITEM EMIT CHANGES;';
const GRACE =
  'how late rows may be stands with the window: WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 5 MINUTES)';
const GRACE_WORKS =
  'SELECT ITEM, COUNT(*) FROM ORDERS WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 5 MINUTES) GROUP BY ITEM EMIT CHANGES;';
const DESCRIBED = 'DESCRIBE name EXTENDED shows the statement that made it';
const MERGED = 'write both into one stream: CREATE STREAM … AS SELECT, then INSERT INTO … SELECT';
const MERGED_WORKS =
  'CREATE STREAM BOTH_OF AS SELECT ITEM, ID FROM ORDERS; INSERT INTO BOTH_OF SELECT ITEM, ID FROM VISITS;';
const TEXT_TIMES =
  'write it as text where a time is wanted, or PARSE_DATE, PARSE_TIME and PARSE_TIMESTAMP(text, pattern)';
const TEXT_TIMES_WORK =
  "SELECT * FROM ORDERS WHERE MOMENT > '2020-01-01' AND MOMENT < PARSE_TIMESTAMP('2021', 'yyyy') AND PARSE_DATE(ITEM, 'yyyy') IS NOT NULL AND PARSE_TIME(ITEM, 'HH') IS NOT NULL EMIT CHANGES;";
const PATTERNS = 'LIKE has % and _; for regular expressions REGEXP_EXTRACT(pattern, text) IS NOT NULL';
const PATTERNS_WORK =
  "SELECT * FROM ORDERS WHERE ITEM LIKE 'a%_' OR REGEXP_EXTRACT('a+', ITEM) IS NOT NULL EMIT CHANGES;";
const PARTS = 'FORMAT_TIMESTAMP(time, pattern) gives any part of a time, CAST(… AS INT) makes a number of it';
const PARTS_WORK = "SELECT CAST(FORMAT_TIMESTAMP(MOMENT, 'HH') AS INT) FROM ORDERS EMIT CHANGES;";
const QUERIES = 'SHOW QUERIES lists what runs, TERMINATE id ends it';
const QUERIES_WORK = 'SHOW QUERIES; TERMINATE CTAS_X_0;';
const SOURCES = 'topics are named in CREATE STREAM and CREATE TABLE: WITH (KAFKA_TOPIC=…, VALUE_FORMAT=…)';
const SOURCES_WORK =
  "CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', PARTITIONS=1); CREATE TABLE B (K INT PRIMARY KEY, V INT) WITH (KAFKA_TOPIC='b', VALUE_FORMAT='JSON', PARTITIONS=1);";
const CONDITIONS =
  'a BOOLEAN is a condition by itself: WHERE column, WHERE NOT column; IS NULL asks for NULL';
const CONDITIONS_WORK =
  'CREATE STREAM F AS SELECT ID, ITEM, CAST(ITEM AS BOOLEAN) AS B FROM ORDERS; SELECT * FROM F WHERE B EMIT CHANGES; SELECT * FROM F WHERE NOT B OR B IS NULL EMIT CHANGES;';
const COLUMNS = 'ALTER … ADD COLUMN is all; CREATE OR REPLACE STREAM … AS SELECT gives columns other names';
const COLUMNS_WORK =
  'ALTER STREAM ORDERS ADD COLUMN C INT; CREATE OR REPLACE STREAM V2 AS SELECT ID, ITEM AS THING FROM ORDERS;';

/** A query without FROM. */
export const NO_SOURCE: Elsewhere = {
  hint: 'name a source: SELECT … FROM stream EMIT CHANGES LIMIT 1 shows what an expression gives',
  works: 'SELECT 1 + 1 FROM ORDERS EMIT CHANGES LIMIT 1;',
};

/** `TIMESTAMP '2020-01-01'` and its like. */
export const TIME_LITERAL: Elsewhere = { hint: TEXT_TIMES, works: TEXT_TIMES_WORK };

/** `PRIMARY KEY (A)`, which reads as a column PRIMARY of type KEY. */
export const TABLE_KEY: Elsewhere = { hint: KEYS, works: KEYS_WORK };

/** A property of topics that statements do not have, because it follows from what they make. */
export const CLEANUP: Elsewhere = {
  hint: 'topics of tables are compacted; those of streams keep rows for RETENTION_MS',
  works:
    "CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', PARTITIONS=1, RETENTION_MS=1000);",
};

/** An aggregate in a query that has no groups. */
export const NO_GROUPS: Elsewhere = {
  hint: "add GROUP BY with what the rows have in common, and EMIT CHANGES; GROUP BY 'all' makes one group of them",
  works: "SELECT COUNT(*) FROM ORDERS GROUP BY 'all' EMIT CHANGES;",
};

/** CREATE without WITH. */
export const NO_TOPIC: Elsewhere = {
  hint: "name the topic: WITH (KAFKA_TOPIC='…', VALUE_FORMAT='JSON'), and PARTITIONS=1 if it is to be made",
  works: "CREATE STREAM A (V INT) WITH (KAFKA_TOPIC='a', VALUE_FORMAT='JSON', PARTITIONS=1);",
};

/** Longer ones are looked at first. */
export const ELSEWHERE_WORDS: readonly ElsewhereWords[] = [
  entry('^ [WITH]', NAMED, NAMED_WORKS),
  entry('[OVER] (', `there are no windows over rows: ${TOP}`, TOP_WORKS),
  entry('[FILTER] ( WHERE', CONDITION, CONDITION_WORKS),
  ...all(['[WITHIN] GROUP', '[QUALIFY]', '[IGNORE] NULLS', '[RESPECT] NULLS'], LATEST, LATEST_WORKS),
  ...all(
    ['FROM (', 'JOIN (', '( [SELECT]', 'FROM ( [SELECT]', '[LATERAL]', 'FROM [VALUES]'],
    NAMED,
    NAMED_WORKS,
  ),
  ...all(['IN ( [SELECT]', '[EXISTS] (', '[ANY] (', '[ALL] ( SELECT', '[SOME] ('], MATCHED, ON_WORKS),
  ...all(
    [
      '… [CROSS] JOIN',
      '… [NATURAL] JOIN',
      '[USING]',
      '… [STRAIGHT_JOIN]',
      '… [ASOF] JOIN',
      '… [SEMI] JOIN',
      '… [ANTI] JOIN',
    ],
    ON,
    ON_WORKS,
  ),
  ...all(
    ['[CASCADE]', '[RESTRICT]', 'CASCADE [CONSTRAINTS]'],
    'DROP what reads from it first; DESCRIBE name EXTENDED and SHOW QUERIES name that',
    'DESCRIBE ORDERS EXTENDED; SHOW QUERIES; DROP STREAM ORDERS;',
  ),
  ...all(
    ['SHOW [CREATE]', 'SHOW [COLUMNS]', 'SHOW [FIELDS]', 'SHOW [SCHEMAS]'],
    DESCRIBED,
    'DESCRIBE ORDERS EXTENDED;',
  ),
  ...all(
    ['SHOW [DATABASES]', 'SHOW [VIEWS]', 'SHOW [SOURCES]', 'SHOW [SINKS]', 'SHOW [MATERIALIZED]'],
    'SHOW STREAMS, SHOW TABLES and SHOW TOPICS list what there is',
    'SHOW STREAMS; SHOW TABLES; SHOW TOPICS;',
  ),
  ...all(
    ['SHOW [PROCESSLIST]', 'SHOW [JOBS]', '^ [KILL]', '^ [CANCEL]', 'SHOW [JOB]', '^ [STOP]'],
    QUERIES,
    QUERIES_WORK,
  ),
  ...all(
    [
      'CREATE [VIEW]',
      'CREATE [MATERIALIZED]',
      'CREATE OR REPLACE [VIEW]',
      'CREATE OR REPLACE [MATERIALIZED]',
      'CREATE [TEMPORARY]',
      'CREATE [TEMP]',
      'CREATE [DYNAMIC]',
      'CREATE [LIVE]',
      'CREATE [FLOW]',
    ],
    'CREATE TABLE … AS SELECT keeps the result of a query with GROUP BY up to date, CREATE STREAM … AS SELECT that of any other',
    NAMED_WORKS,
  ),
  ...all(
    ['CREATE [INDEX]', 'CREATE [UNIQUE]', 'DROP [INDEX]'],
    'a table is found by its key; for another key CREATE TABLE … AS SELECT … GROUP BY column',
    NAMED_WORKS,
  ),
  ...all(
    [
      'CREATE [DATABASE]',
      'CREATE [SCHEMA]',
      'CREATE [CATALOG]',
      'CREATE [KEYSPACE]',
      '^ [USE]',
      'DROP [DATABASE]',
      'DROP [SCHEMA]',
    ],
    'there is one room for names: CREATE STREAM and CREATE TABLE begin at once',
    SOURCES_WORK,
  ),
  ...all(
    [
      'CREATE [CONNECTION]',
      'CREATE [EXTERNAL]',
      'CREATE [SEQUENCE]',
      'CREATE SOURCE * [FROM]',
      'CREATE SOURCE * [IN]',
      'CREATE [SINK] * FROM',
      'CREATE [USER]',
      'CREATE [ROLE]',
    ],
    SOURCES,
    SOURCES_WORK,
  ),
  ...all(
    ['DROP [VIEW]', 'DROP [MATERIALIZED]', 'DROP [SOURCE]', 'DROP [SINK]'],
    'DROP STREAM or DROP TABLE; the query that wrote it ends with it',
    'DROP STREAM ORDERS; DROP TABLE USERS;',
  ),
  ...all(
    ['^ [TRUNCATE]'],
    'DROP … DELETE TOPIC, then CREATE it anew, empties a stream or table',
    `DROP STREAM ORDERS DELETE TOPIC; ${SOURCES_WORK}`,
  ),
  ...all(['^ [DESC]', '^ [EXPLAIN] TABLE'], 'DESCRIBE name', 'DESCRIBE ORDERS;'),
  ...all(
    ['IS [TRUE]', 'IS [FALSE]', 'IS [UNKNOWN]', 'IS NOT [TRUE]', 'IS NOT [FALSE]', 'IS NOT [UNKNOWN]'],
    CONDITIONS,
    CONDITIONS_WORK,
  ),
  ...all(
    ['[GROUPING] SETS', 'WITH [ROLLUP]', 'WITH [CUBE]'],
    'one table for each set of columns: CREATE TABLE … AS SELECT … GROUP BY',
    NAMED_WORKS,
  ),
  ...all(
    ['SELECT [TOP]', '[FETCH] FIRST', '[FETCH] NEXT', 'LIMIT * [,]'],
    'LIMIT 10 at the end',
    'SELECT * FROM ORDERS EMIT CHANGES LIMIT 10;',
  ),
  ...all(['[ORDER]', '[SORT] BY', '[CLUSTER] BY'], `rows come as they change: ${TOP}`, TOP_WORKS),
  entry(
    '[OFFSET]',
    'a query begins at its first row; WHERE ROWOFFSET >= 10 skips rows of a stream',
    'SELECT * FROM ORDERS WHERE ROWOFFSET >= 10 EMIT CHANGES;',
  ),
  ...all(
    ['[DISTINCT]', '[DISTINCTROW]', '[UNIQUE]'],
    'SELECT column, COUNT(*) … GROUP BY column has each value once',
    'SELECT ITEM, COUNT(*) FROM ORDERS GROUP BY ITEM EMIT CHANGES;',
  ),
  ...all(
    ['( [DISTINCT]', 'COUNT ( [DISTINCT]'],
    'COUNT_DISTINCT(column) estimates how many there are; COLLECT_SET(column) has them',
    'SELECT ITEM, COUNT_DISTINCT(AMOUNT), COLLECT_SET(AMOUNT) FROM ORDERS GROUP BY ITEM EMIT CHANGES;',
  ),
  ...all(['[UNION]', '[INTERSECT]', '[EXCEPT]', '[MINUS]'], MERGED, MERGED_WORKS),
  ...all(
    ['^ [DELETE]'],
    'a record without a value removes the row of its key; a program that writes to the topic of the table can send one, and CREATE TABLE … AS SELECT … HAVING leaves rows out',
    'CREATE TABLE T AS SELECT ITEM, COUNT(*) FROM ORDERS GROUP BY ITEM HAVING COUNT(*) > 1;',
  ),
  ...all(
    [
      '^ [UPDATE]',
      '^ [MERGE]',
      '^ [UPSERT]',
      '^ [REPLACE]',
      'INSERT [OVERWRITE]',
      'INSERT [OR]',
      '[ON] CONFLICT',
      '[ON] DUPLICATE',
    ],
    REPLACED,
    REPLACED_WORKS,
  ),
  ...all(['[RETURNING]', '^ [COPY]', '^ [LOAD]', 'INSERT [IGNORE]', '^ [IMPORT]'], PUT, REPLACED_WORKS),
  ...all(
    [
      '[RENAME]',
      'ALTER * * [DROP]',
      'ALTER * * [ALTER]',
      'ALTER * * [MODIFY]',
      'ALTER * * [CHANGE]',
      'ALTER * * [SET]',
    ],
    COLUMNS,
    COLUMNS_WORK,
  ),
  ...all(
    [
      '^ [BEGIN]',
      '^ [START]',
      '^ [COMMIT]',
      '^ [ROLLBACK]',
      '^ [SAVEPOINT]',
      '^ [LOCK]',
      '^ [VACUUM]',
      '^ [ANALYZE]',
      '^ [OPTIMIZE]',
      '^ [REFRESH]',
      '^ [FLUSH]',
    ],
    NO_TRANSACTIONS,
    NONE,
  ),
  ...all(
    ['^ [GRANT]', '^ [REVOKE]', '^ [CALL]', '^ [EXEC]', '^ [EXECUTE]', '^ [PREPARE]', '^ [DECLARE]'],
    'DEFINE name = text makes a variable; CREATE FUNCTION a function',
    "DEFINE name = 'text'; CREATE FUNCTION F(X INT) RETURNS INT LANGUAGE JAVASCRIPT AS 'return X;';",
  ),
  ...all(
    ['^ [SUBSCRIBE]', '^ [TAIL]', '^ [FETCH]', '^ [WATCH]', '^ [LISTEN]'],
    'SELECT … EMIT CHANGES shows rows as they come',
    'SELECT * FROM ORDERS EMIT CHANGES;',
  ),
  entry(
    'EMIT [ON]',
    'EMIT FINAL with a WINDOW gives each window once, when it has closed',
    'SELECT ITEM, COUNT(*) FROM ORDERS WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ITEM EMIT FINAL;',
  ),
  ...all(['FROM [TABLE]', 'FROM [TUMBLE]', 'FROM [HOP]', 'FROM [SESSION] ('], WINDOWS, WINDOWS_WORK),
  ...all(['[WATERMARK]', '[WATERMARK] FOR', '[ALLOW] LATENESS'], GRACE, GRACE_WORKS),
  ...all(['[MATCH_RECOGNIZE]', '[PIVOT]', '[UNPIVOT]', '[TABLESAMPLE]'], NAMED, NAMED_WORKS),
  ...all(
    ['FOR [SYSTEM_TIME]', '[FOR] SYSTEM_TIME', 'FOR [UPDATE]'],
    'a stream JOIN a table meets the row that the table had at the time',
    ON_WORKS,
  ),
  ...all(
    [
      '( [PRIMARY] KEY',
      ', [PRIMARY] KEY',
      ', [KEY]',
      '[CONSTRAINT]',
      ', [UNIQUE]',
      ', [FOREIGN]',
      ', [INDEX]',
    ],
    KEYS,
    KEYS_WORK,
  ),
  ...all(
    [
      'NOT [NULL]',
      '[DEFAULT]',
      '[CHECK]',
      '[REFERENCES]',
      '[AUTO_INCREMENT]',
      '[AUTOINCREMENT]',
      '[GENERATED]',
      '[IDENTITY]',
      '[COLLATE]',
      '[COMMENT]',
      '[UNSIGNED]',
    ],
    UNCHECKED,
    UNCHECKED_WORKS,
  ),
  ...all(
    ['[PARTITIONED] BY', '[DISTRIBUTED] BY', '[ENGINE]', '[TBLPROPERTIES]', '[LOCATION]', '[STORED]'],
    SOURCES,
    SOURCES_WORK,
  ),
  ...all(
    ['[INTERVAL]', '[INTERVAL] *'],
    `${UNITS}: TIMESTAMPADD(DAYS, 1, time)`,
    `${UNITS_WORK} SELECT TIMESTAMPADD(DAYS, 1, MOMENT) FROM ORDERS EMIT CHANGES;`,
  ),
  ...all(['[WEEK]', '[WEEKS]', '[MONTH]', '[MONTHS]', '[QUARTER]', '[YEAR]', '[YEARS]'], UNITS, UNITS_WORK),
  ...all(['[DATE] *', '[TIMESTAMP] *', '[TIME] *'], TEXT_TIMES, TEXT_TIMES_WORK),
  ...all(
    ['[ILIKE]', '[RLIKE]', '[REGEXP]', '[GLOB]', '[SIMILAR] TO', '[MATCHES]', '[CONTAINS]'],
    PATTERNS,
    PATTERNS_WORK,
  ),
  ...all(['[EXTRACT] ( * FROM', 'EXTRACT ( * [FROM]'], PARTS, PARTS_WORK),
  ...all(
    ['[TRY_CAST] ( * AS', '[SAFE_CAST] ( * AS', '[CONVERT] ( * USING'],
    'CAST(… AS type) gives NULL for a value that is none of the type',
    'SELECT CAST(ITEM AS INT) FROM ORDERS WHERE CAST(ITEM AS INT) IS NULL EMIT CHANGES;',
  ),
  ...all(
    ['[TRIM] ( BOTH', '[TRIM] ( LEADING', '[TRIM] ( TRAILING'],
    'TRIM(text) takes the blanks at both ends',
    'SELECT TRIM(ITEM) FROM ORDERS EMIT CHANGES;',
  ),
  ...all(
    ['SUBSTRING ( * [FROM]'],
    'SUBSTRING(text, position, length)',
    'SELECT SUBSTRING(ITEM, 1, 2) FROM ORDERS EMIT CHANGES;',
  ),
  ...all(
    ['[DIV]', '[MOD]'],
    'the operators / and % divide whole numbers: CAST(column AS INT) / 2',
    'SELECT CAST(ITEM AS INT) / 2 FROM ORDERS EMIT CHANGES;',
  ),
];

const call = (expression: string): string => `SELECT ${expression} FROM ORDERS EMIT CHANGES;`;
const group = (expression: string): string =>
  `SELECT ITEM, ${expression} FROM ORDERS GROUP BY ITEM EMIT CHANGES;`;
const functions = (names: string, hint: string, works: string): readonly (readonly [string, Elsewhere])[] =>
  names.split(' ').map((name) => [name, { hint, works }] as const);
const NOW = 'FROM_UNIXTIME(UNIX_TIMESTAMP())';
const TEXTS_OF_GROUP = 'ARRAY_JOIN(COLLECT_LIST(column), separator)';
const CASE = 'CASE WHEN … THEN … ELSE … END';
const CASE_WORKS = call("CASE WHEN ID = 1 THEN 'a' ELSE 'b' END");
const TIME_PART =
  "CAST(FORMAT_TIMESTAMP(time, pattern) AS INT) with the pattern 'HH', 'dd', 'MM', 'yyyy' or another";
const TIME_PART_WORKS =
  call("CAST(FORMAT_TIMESTAMP(MOMENT, 'HH') AS INT)") + call("FORMAT_TIMESTAMP(MOMENT, 'MM')");

/** Functions, by what other databases call them. */
export const ELSEWHERE_FUNCTIONS: ReadonlyMap<string, Elsewhere> = new Map([
  ...functions('UPPER TOUPPER', 'use UCASE', call('UCASE(ITEM)')),
  ...functions('LOWER TOLOWER', 'use LCASE', call('LCASE(ITEM)')),
  ...functions('LENGTH CHAR_LENGTH CHARACTER_LENGTH STRLEN OCTET_LENGTH', 'use LEN', call('LEN(ITEM)')),
  ...functions('SUBSTR MID', 'use SUBSTRING', call('SUBSTRING(ITEM, 1, 2)')),
  ...functions('LEFT', 'use SUBSTRING(text, 1, length)', call('SUBSTRING(ITEM, 1, 2)')),
  ...functions('RIGHT', 'use SUBSTRING(text, -length)', call('SUBSTRING(ITEM, -2)')),
  ...functions('POSITION STRPOS LOCATE CHARINDEX', 'use INSTR(text, part)', call("INSTR(ITEM, 'a')")),
  ...functions('LTRIM RTRIM BTRIM', 'use TRIM', call('TRIM(ITEM)')),
  ...functions('REPEAT', 'use LPAD', call("LPAD('', 6, 'ab')")),
  ...functions('STARTS_WITH', "use LIKE 'start%'", call("ITEM LIKE 'start%'")),
  ...functions(
    'REGEXP_LIKE REGEXP_MATCHES REGEXP_CONTAINS',
    'use REGEXP_EXTRACT(pattern, text) IS NOT NULL',
    call("REGEXP_EXTRACT('a', ITEM) IS NOT NULL"),
  ),
  ...functions('SPLIT_PART', 'use SPLIT(text, delimiter)[n]', call("SPLIT(ITEM, ',')[1]")),
  ...functions('SHA256 SHA1 SHA2 HASH', 'use MD5', call('MD5(ITEM)')),
  ...functions('CEILING', 'use CEIL', call('CEIL(1.5)')),
  ...functions('POW', 'use POWER', call('POWER(ID, 2)')),
  ...functions('LOG10', 'use LOG(10, number)', call('LOG(10, ID)')),
  ...functions('TRUNCATE', 'use TRUNC', call('TRUNC(1.5)')),
  ...functions('RAND', 'use RANDOM', call('RANDOM()')),
  ...functions('MOD', 'use the operator %', call('ID % 2')),
  ...functions('NVL', 'use IFNULL or COALESCE', call("IFNULL(ITEM, 'a') || COALESCE(ITEM, 'b')")),
  ...functions('ISNULL', 'use IFNULL, or IS NULL', call("IFNULL(ITEM, 'a'), ITEM IS NULL AS N")),
  ...functions('IF IIF DECODE NVL2', `use ${CASE}`, CASE_WORKS),
  ...functions(
    'NOW GETDATE SYSDATE LOCALTIMESTAMP CURRENT_TIMESTAMP PROCTIME',
    `use ${NOW} for a TIMESTAMP, UNIX_TIMESTAMP() for milliseconds; the time of a row is ROWTIME`,
    call(`CAST(${NOW} AS TIMESTAMP), ROWTIME AS T`),
  ),
  ...functions('CURDATE CURRENT_DATE TODAY', 'use FROM_DAYS(UNIX_DATE())', call('FROM_DAYS(UNIX_DATE())')),
  ...functions(
    'DATE_FORMAT STRFTIME',
    'use FORMAT_DATE or FORMAT_TIMESTAMP',
    call("FORMAT_TIMESTAMP(MOMENT, 'yyyy') || FORMAT_DATE('2020-01-01', 'yyyy')"),
  ),
  ...functions(
    'TO_CHAR',
    'use FORMAT_TIMESTAMP, FORMAT_DATE or CAST(… AS STRING)',
    call("FORMAT_TIMESTAMP(MOMENT, 'yyyy') || FORMAT_DATE('2020-01-01', 'yyyy') || CAST(ID AS STRING)"),
  ),
  ...functions(
    'TO_TIMESTAMP STR_TO_DATE TO_TIMESTAMP_LTZ',
    'use PARSE_TIMESTAMP, or FROM_UNIXTIME of milliseconds',
    call("PARSE_TIMESTAMP(ITEM, 'yyyy')") + call('FROM_UNIXTIME(AMOUNT)'),
  ),
  ...functions('TO_DATE', 'use PARSE_DATE', call("PARSE_DATE(ITEM, 'yyyy')")),
  ...functions('TO_NUMBER', 'use CAST(… AS INT), or another type', call('CAST(ITEM AS INT)')),
  ...functions(
    'DATE_ADD ADDDATE',
    'use DATEADD(DAYS, 1, date) or TIMESTAMPADD(DAYS, 1, time)',
    call("DATEADD(DAYS, 1, '2020-01-01')") + call('TIMESTAMPADD(DAYS, 1, MOMENT)'),
  ),
  ...functions(
    'DATE_SUB SUBDATE',
    'use DATESUB(DAYS, 1, date) or TIMESTAMPSUB(DAYS, 1, time)',
    call("DATESUB(DAYS, 1, '2020-01-01')") + call('TIMESTAMPSUB(DAYS, 1, MOMENT)'),
  ),
  ...functions(
    'DATEDIFF DATE_DIFF TIMESTAMPDIFF TIMEDIFF',
    'use UNIX_TIMESTAMP(a) - UNIX_TIMESTAMP(b), in milliseconds',
    call("UNIX_TIMESTAMP(MOMENT) - UNIX_TIMESTAMP('2020-01-01')"),
  ),
  ...functions(
    'HOUR MINUTE SECOND DAY MONTH YEAR WEEK QUARTER DAYOFWEEK DATE_PART EXTRACT',
    `use ${TIME_PART}`,
    TIME_PART_WORKS,
  ),
  ...functions(
    'DATE_TRUNC TIME_BUCKET FLOOR_TIME',
    "use PARSE_TIMESTAMP(FORMAT_TIMESTAMP(time, 'yyyy-MM-dd'), 'yyyy-MM-dd'), or a WINDOW",
    call("PARSE_TIMESTAMP(FORMAT_TIMESTAMP(MOMENT, 'yyyy-MM-dd'), 'yyyy-MM-dd')") + WINDOWS_WORK,
  ),
  ...functions(
    'TUMBLE HOP TUMBLE_START TUMBLE_END HOP_START',
    'windows are a clause, WINDOW TUMBLING (SIZE 1 HOUR), and WINDOWSTART and WINDOWEND their columns',
    'SELECT ITEM, COUNT(*), WINDOWSTART, WINDOWEND FROM ORDERS WINDOW TUMBLING (SIZE 1 HOUR) GROUP BY ITEM EMIT CHANGES;',
  ),
  ...functions('ARRAY_AGG LIST GROUP_ARRAY', 'use COLLECT_LIST', group('COLLECT_LIST(AMOUNT)')),
  ...functions(
    'STRING_AGG LISTAGG GROUP_CONCAT',
    `use ${TEXTS_OF_GROUP}`,
    group("ARRAY_JOIN(COLLECT_LIST(ITEM), ',')"),
  ),
  ...functions(
    'APPROX_COUNT_DISTINCT APPROX_DISTINCT UNIQ COUNTDISTINCT',
    'use COUNT_DISTINCT',
    group('COUNT_DISTINCT(AMOUNT)'),
  ),
  ...functions('STDDEV STDDEV_POP STDEV', 'use STDDEV_SAMP', group('STDDEV_SAMP(AMOUNT)')),
  ...functions('COUNT_IF COUNTIF SUM_IF', CONDITION, CONDITION_WORKS),
  ...functions('LAST_VALUE LAST', 'use LATEST_BY_OFFSET', group('LATEST_BY_OFFSET(AMOUNT)')),
  ...functions('FIRST_VALUE FIRST ANY_VALUE', 'use EARLIEST_BY_OFFSET', group('EARLIEST_BY_OFFSET(AMOUNT)')),
  ...functions(
    'LAG LEAD',
    'use LATEST_BY_OFFSET(column, 2), which has the value before it too',
    group('LATEST_BY_OFFSET(AMOUNT, 2)'),
  ),
  ...functions('ROW_NUMBER RANK DENSE_RANK NTILE', TOP, TOP_WORKS),
  ...functions(
    'ROLLUP CUBE',
    'one table for each set of columns: CREATE TABLE … AS SELECT … GROUP BY',
    NAMED_WORKS,
  ),
  ...functions('UNNEST FLATTEN JSON_TABLE', 'use EXPLODE', call('EXPLODE(TAGS)')),
  ...functions('CARDINALITY ARRAY_SIZE SIZE', 'use ARRAY_LENGTH', call('ARRAY_LENGTH(TAGS)')),
  ...functions('ELEMENT_AT', 'use array[1], counted from 1', call('TAGS[1]')),
  ...functions(
    'JSON_VALUE JSON_EXTRACT JSON_QUERY JSON_EXTRACT_SCALAR GET_JSON_OBJECT',
    'use EXTRACTJSONFIELD',
    call("EXTRACTJSONFIELD(ITEM, '$.a')"),
  ),
  ...functions('TO_JSON JSON_OBJECT', 'use TO_JSON_STRING', call('TO_JSON_STRING(TAGS)')),
  ...functions('GEN_RANDOM_UUID NEWID GENERATE_UUID', 'use UUID', call('UUID()')),
  ...functions(
    'TRY_CAST SAFE_CAST',
    'use CAST(… AS INT), which gives NULL for what is none',
    call('CAST(ITEM AS INT)') + call('CAST(NULL AS INT)'),
  ),
]);

const types = (names: string, type: string): readonly (readonly [string, string])[] =>
  names.split(' ').map((name) => [name, type] as const);

/** Types, by what other databases call them: one or more of ours, the first of which is the nearest. */
export const ELSEWHERE_TYPES: ReadonlyMap<string, string> = new Map([
  ...types(
    'TEXT CHAR NVARCHAR NCHAR CHARACTER CLOB TINYTEXT MEDIUMTEXT LONGTEXT CITEXT NAME ENUM UUID XML INET',
    'STRING',
  ),
  ...types('FLOAT REAL FLOAT4 FLOAT8 FLOAT64 BINARY_FLOAT', 'DOUBLE'),
  ...types('NUMBER', 'BIGINT, DOUBLE or DECIMAL(10, 2)'),
  ...types('NUMERIC DEC BIGNUMERIC MONEY', 'DECIMAL(10, 2)'),
  ...types('LONG INT8 INT64 BIGSERIAL', 'BIGINT'),
  ...types('SHORT SMALLINT TINYINT MEDIUMINT INT2 INT4 INT32 BYTE SERIAL YEAR', 'INTEGER'),
  ...types('BOOL BIT', 'BOOLEAN'),
  ...types('DATETIME TIMESTAMPTZ TIMESTAMP_LTZ DATETIME2', 'TIMESTAMP'),
  ...types('INTERVAL', 'BIGINT, in milliseconds'),
  ...types('BLOB BINARY VARBINARY BYTEA LONGBLOB RAW', 'BYTES'),
  ...types('JSON JSONB VARIANT OBJECT', 'STRING and EXTRACTJSONFIELD, or a STRUCT of its fields'),
  ...types('LIST', 'ARRAY<STRING>, or of another type'),
  ...types('RECORD ROW', 'STRUCT<A INT>, with your fields'),
]);
