import { expect, test } from 'vitest';
import { produce } from '../../harness/log-records.ts';
import { execute, openEngine } from '../../harness/open-engine.ts';

/** The result of a row goes with it, however fast other rows follow. */

const order = (item: number | null) => ({ key: '1', value: item === null ? null : `{"ITEM":${item}}` });
const loose = { key: '1', value: '{"ITEM":null}' };

test.each([
  ['goes, and comes back for an item that there is not', [order(7), null, order(8)], false],
  ['loses its item, and gets one that there is not', [order(7), loose, order(8)], false],
  ['loses its item, and goes', [order(7), loose, null], false],
  ['changes while its item goes', [order(7), 'item goes', { key: '1', value: '{"ITEM":7,"N":2}' }], false],
  ['goes, and comes back for the same item', [order(7), null, order(7)], true],
])('a row of a join by foreign key %s', async (_what, changes, stays) => {
  for (const partitions of [1, 3]) {
    const engine = await openEngine(null, { properties: new Map([['commit.interval.ms', '5']]) });
    try {
      await execute(
        engine,
        `CREATE TABLE O (ID INT PRIMARY KEY, ITEM INT, N INT) WITH (KAFKA_TOPIC='O', FORMAT='JSON', PARTITIONS=${partitions});
         CREATE TABLE I (ID INT PRIMARY KEY, NAME STRING) WITH (KAFKA_TOPIC='I', FORMAT='JSON', PARTITIONS=${partitions});
         CREATE TABLE J AS SELECT O.ID AS ID, NAME FROM O JOIN I ON O.ITEM = I.ID;`,
      );
      await produce(engine.log, 'I', [{ key: '7', value: '{"NAME":"seven"}' }]);
      await produce(engine.log, 'O', [order(7)]);
      await engine.drain();
      expect((await execute(engine, 'SELECT * FROM J;')).rows).toEqual([[1, 'seven']]);
      for (const [i, change] of changes.entries())
        if (change === 'item goes') await produce(engine.log, 'I', [{ key: '7', value: null, timestamp: i }]);
        else if (typeof change !== 'string')
          await produce(engine.log, 'O', [{ ...(change ?? order(null)), timestamp: i }]);
      await engine.drain();
      expect((await execute(engine, 'SELECT * FROM J;')).rows).toEqual(stays ? [[1, 'seven']] : []);
    } finally {
      await engine.close();
    }
  }
});
