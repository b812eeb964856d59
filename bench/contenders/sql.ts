import { systemClock, systemRandom } from '../../src/common/clock.ts';
import { openLogger } from '../../src/common/logger.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { openEngine } from '../../src/engine/open-engine.ts';
import { newSession, type Session } from '../../src/engine/session.ts';
import type { Log } from '../../src/log/log.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import type { Pass } from '../contender.ts';
import { itemCount } from '../items.ts';
import { CACHE_BYTES, GRACE_MS, RETENTION_MS, type ScenarioName, WINDOW_MS } from '../scenarios.ts';
import { measure, type Measured, UNITS_OVER } from '../workload.ts';

/** The statements of a scenario: those that declare, and the query that is measured. */
function statements({ workload, items }: Pass): Record<ScenarioName, { declare: string; query: string }> {
  const output = `KAFKA_TOPIC='${workload.output}', PARTITIONS=${workload.partitions}, VALUE_FORMAT='JSON'`;
  const declare = `CREATE STREAM ORDERS (K VARCHAR KEY, ORDERTIME BIGINT, ORDERID BIGINT, ITEMID VARCHAR, ORDERUNITS DOUBLE)
    WITH (KAFKA_TOPIC='${workload.input}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`;
  return {
    'filter-project': {
      declare,
      query: `CREATE STREAM RESULT WITH (${output}) AS
        SELECT K, ORDERID, ITEMID, ORDERUNITS, ORDERTIME FROM ORDERS WHERE ORDERUNITS > ${UNITS_OVER} EMIT CHANGES;`,
    },
    'windowed-count': {
      declare,
      query: `CREATE TABLE RESULT WITH (${output}) AS
        SELECT K, COUNT(*) AS N FROM ORDERS
        WINDOW TUMBLING (SIZE ${WINDOW_MS / 1000} SECONDS, RETENTION ${RETENTION_MS / 1000} SECONDS,
          GRACE PERIOD ${GRACE_MS / 1000} SECONDS)
        GROUP BY K EMIT CHANGES;`,
    },
    'word-count': {
      declare,
      query: `CREATE TABLE RESULT WITH (${output}) AS
        SELECT ITEMID, COUNT(*) AS N FROM ORDERS GROUP BY ITEMID EMIT CHANGES;`,
    },
    'stream-table-join': {
      declare: `${declare}
        CREATE TABLE ITEMS (ITEM VARCHAR PRIMARY KEY, NAME VARCHAR, PRICE DOUBLE)
        WITH (KAFKA_TOPIC='${items}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
      query: `CREATE STREAM RESULT WITH (${output}) AS
        SELECT O.K AS K, O.ORDERID AS ORDERID, O.ORDERUNITS AS ORDERUNITS, I.NAME AS NAME, I.PRICE AS PRICE
        FROM ORDERS O JOIN ITEMS I ON O.K = I.ITEM EMIT CHANGES;`,
    },
  };
}

/** Our own SQL, as a user runs it: statements to an engine with changelogs and state on disk. `run` starts the query. */
export async function openSql(
  pass: Pass,
): Promise<{ readonly engine: Engine; readonly run: () => Promise<void> }> {
  const { scenario, guarantee } = pass;
  const { declare, query } = statements(pass)[scenario.name];
  const engine = await openEngine({
    log: keptOpen(pass.log),
    stateDirectory: pass.directory,
    state: openStateBackend(),
    clock: systemClock,
    random: systemRandom,
    logger: openLogger('warn'),
    serviceId: pass.id,
    commandLog: false,
    version: 'bench',
  });
  const session = newSession();
  session.properties.set('commit.interval.ms', String(scenario.commitMs));
  session.properties.set('processing.guarantee', guarantee);
  session.properties.set('cache.max.bytes.buffering', String(CACHE_BYTES));
  await execute(engine, session, declare);
  return { engine, run: () => execute(engine, session, query) };
}

export async function sql(pass: Pass): Promise<Measured> {
  const { workload, scenario } = pass;
  const { engine, run } = await openSql(pass);
  const records = workload.records + (scenario.name === 'stream-table-join' ? itemCount(workload) : 0);
  return measure(records, async () => {
    await run();
    await engine.drain();
    if (engine.hasFailedQuery)
      throw new Error(JSON.stringify([...engine.queries.values()].map((each) => each.errors)));
    await engine.close();
    return 0;
  });
}

async function execute(engine: Engine, session: Session, text: string): Promise<void> {
  for (const statement of parseStatements(text)) await engine.execute(statement, session);
}

/** An engine closes its log, and this one is needed for the next pass. */
export function keptOpen(log: Log): Log {
  return {
    admin: log.admin,
    openReader: (options) => log.openReader(options),
    openWriter: (options) => log.openWriter(options),
    close: () => Promise.resolve(),
  };
}
