import { readFileSync } from 'node:fs';
import {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  Kafka,
  logLevel,
  ResourcePatternTypes,
} from 'kafkajs';
import type { AclEntry, Admin } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKafka } from '../../scripts/kafka.js';
import { systemClock as clock } from '../../src/common/clock.ts';
import { messageOf } from '../../src/common/error.ts';
import { silentLogger as logger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { execute, openEngine } from '../harness/open-engine.ts';
import { untilAsync } from '../harness/until.ts';

/**
 * What docs/kafka.md says that a service must be allowed: with exactly that a script runs, and without each of it the error
 * names what is missing.
 */

const RESOURCES = { topic: 'TOPIC', group: 'GROUP', 'transactional id': 'TRANSACTIONAL_ID' } as const;

interface Permission {
  readonly resource: keyof typeof RESOURCES;
  /** A name, or with `*` at its end what names begin with. */
  readonly name: string;
  readonly operation: string;
}

/** The table of the page, a line for each operation. `S` stands for the service id. */
function permissions(): Permission[] {
  const page = readFileSync(new URL('../../docs/kafka.md', import.meta.url), 'utf8');
  const table = page.slice(page.indexOf('<!-- acls -->'));
  const found: Permission[] = [];
  for (const [, resource, name, operations] of table.matchAll(
    /^\| (topic|group|transactional id) +\| `([^`]+)` +\| ([^|]+?) +\|/gm,
  ))
    for (const operation of operations!.split(', '))
      found.push({ resource: resource as Permission['resource'], name: name!, operation });
  return found;
}

const ALL = permissions();
const PASSWORD = 'a-password-of-tests';
const users = Object.fromEntries([...ALL.keys(), ALL.length].map((i) => [`user${i}`, PASSWORD]));

/** `S`, `IN` and `OUT` of the table for a user, whose service has its name. */
function nameFor(user: string, name: string): string {
  return name.replaceAll('S', user).replace('IN', `${user}-in`).replace('OUT', `${user}-out`);
}

function entriesOf(user: string, allowed: readonly Permission[]): AclEntry[] {
  return allowed.map(({ resource, name, operation }) => {
    const full = nameFor(user, name);
    const prefixed = full.endsWith('*');
    return {
      resourceType: AclResourceTypes[RESOURCES[resource]],
      resourceName: prefixed ? full.slice(0, -1) : full,
      resourcePatternType: prefixed ? ResourcePatternTypes.PREFIXED : ResourcePatternTypes.LITERAL,
      principal: `User:${user}`,
      host: '*',
      operation: AclOperationTypes[operation.toUpperCase() as keyof typeof AclOperationTypes],
      permissionType: AclPermissionTypes.ALLOW,
    };
  });
}

async function countOf(admin: Admin): Promise<number> {
  const { resources } = await admin.describeAcls({
    resourceType: AclResourceTypes.ANY,
    resourcePatternType: ResourcePatternTypes.ANY,
    operation: AclOperationTypes.ANY,
    permissionType: AclPermissionTypes.ANY,
  });
  return resources.reduce((sum, { acls }) => sum + acls.length, 0);
}

describe('permissions', () => {
  let kafka: Awaited<ReturnType<typeof startKafka>>;
  beforeAll(async () => {
    kafka = await startKafka({ secured: true, authorizer: true, users: { admin: PASSWORD, ...users } });
    const admin = new Kafka({ brokers: kafka.address.split(','), logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    for (const index of [...ALL.keys(), ALL.length])
      await admin.createAcls({ acl: entriesOf(`user${index}`, ALL.toSpliced(index, 1)) });
    // They reach the broker a moment after they were made.
    const wanted = (ALL.length + 1) * ALL.length - ALL.length;
    await untilAsync(async () => (await countOf(admin)) === wanted);
    await admin.disconnect();
  });
  afterAll(() => kafka.stop());

  /** The script as `user`, whose service has that name too. Rejects with the first error of a statement or query. */
  async function run(user: string): Promise<readonly unknown[]> {
    const engine = await openEngine(null, {
      log: await openKafkaLog({
        brokers: kafka.listeners['SASL_PLAINTEXT']!.split(','),
        clientId: user,
        sasl: { mechanism: 'plain', username: user, password: PASSWORD },
        clock,
        logger,
      }),
      serviceId: user,
      commandLog: true,
    });
    try {
      await execute(
        engine,
        `CREATE STREAM S (K STRING KEY, G STRING, V INT) WITH (KAFKA_TOPIC='${user}-in', VALUE_FORMAT='JSON', PARTITIONS=1);
         CREATE TABLE C WITH (KAFKA_TOPIC='${user}-out') AS SELECT G, COUNT(*) AS N, 1 / SUM(V) AS D FROM S GROUP BY G;
         INSERT INTO S VALUES ('a', 'x', 1);
         INSERT INTO S VALUES ('a', 'x', -1);`,
      );
      for (const { failure } of engine.queries.values()) if (failure !== null) throw failure as Error;
      await engine.settle();
      for (const { failure } of engine.queries.values()) if (failure !== null) throw failure as Error;
      const { rows } = await execute(engine, 'SELECT G, N FROM C;');
      await execute(engine, 'DROP TABLE C DELETE TOPIC; DROP STREAM S DELETE TOPIC;');
      return rows;
    } finally {
      await engine.close();
    }
  }

  test('with exactly these a script runs', async () => {
    expect(await run(`user${ALL.length}`)).toEqual([['x', 2]]);
  });

  test.for(ALL.map((permission, index) => ({ ...permission, index })))(
    'without $operation of $resource $name the error names it',
    async ({ index, resource, name }) => {
      const user = `user${index}`;
      const text = await run(user).then(() => 'nothing failed', messageOf);
      expect(text).toContain(nameFor(user, name).replace('*', ''));
      expect(text).toContain(`${RESOURCES[resource]}_AUTHORIZATION_FAILED`);
    },
  );
});
