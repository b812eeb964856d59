import { Kafka, logLevel } from 'kafkajs';
import { afterEach, expect, test } from 'vitest';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { Millrace } from '../harness/millrace.ts';
import { ServiceProcess } from '../harness/service-process.ts';

/** Several processes of one service: one runs its queries, the others wait. */

describeKafka('one owner', (address) => {
  const started: Millrace[] = [];
  afterEach(async () => {
    for (const each of started.splice(0)) {
      each.process.kill('SIGCONT');
      await each.kill('SIGKILL');
    }
  });
  const start = async (
    serviceId: string,
    sessionMs = 2000,
    more: readonly string[] = [],
  ): Promise<ServiceProcess> => {
    const session = ['--set', `session.timeout.ms=${sessionMs}`];
    const server = await ServiceProcess.start(address, serviceId, [...session, ...more]);
    started.push(server.process);
    return server;
  };
  /** Resolves when the service's processes are in their group: one that is alone works before that. */
  const settled = async (service: string): Promise<void> => {
    const admin = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    for (let state = ''; state !== 'Stable';)
      state = (await admin.describeGroups([`_millrace_${service}_members`])).groups[0]!.state;
    await admin.disconnect();
  };
  const declare = (topic: string): string =>
    `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${topic}', VALUE_FORMAT='JSON', PARTITIONS=2);
     CREATE TABLE T WITH (KAFKA_TOPIC='${topic}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`;
  const COUNTED = "SELECT N FROM T WHERE K = 'a';";

  test('the second waits, says for whom, follows what is defined, and takes over when the first ends', async () => {
    const service = uniqueName('handover');
    const a = await start(service);
    await a.post(declare(service));
    await a.post("INSERT INTO S VALUES ('a', 1);");
    const b = await start(service);
    await b.until(() => b.queries(), { CTAS_T_0: `WAITING ${a.url}` });
    expect(await a.queries()).toEqual({ CTAS_T_0: 'RUNNING' });
    await expect(b.pull(COUNTED)).rejects.toThrow(`ask there`);
    await expect(b.pull(COUNTED)).rejects.toThrow(a.url);
    await expect(b.post('DROP TABLE T;')).rejects.toThrow(a.url);
    const [explained] = await b.post('EXPLAIN CTAS_T_0;');
    expect(explained!['queryDescription']).toMatchObject({ state: 'WAITING', owner: a.url });

    // Rows go in anywhere, and what is defined at the one is known to the other.
    await b.post("INSERT INTO S VALUES ('a', 2);");
    await a.until(() => a.pull(COUNTED), [[2]]);
    await a.post('CREATE STREAM R AS SELECT K, V * 10 AS W FROM S;');
    await b.until(() => b.queries(), { CTAS_T_0: `WAITING ${a.url}`, CSAS_R_1: `WAITING ${a.url}` });
    await a.post('DROP STREAM R; CREATE STREAM Q AS SELECT K, V FROM S;');
    await b.until(() => b.queries(), { CTAS_T_0: `WAITING ${a.url}`, CSAS_Q_2: `WAITING ${a.url}` });

    // It leaves, so that nobody waits for its session to run out.
    const ended = Date.now();
    await a.process.kill('SIGTERM');
    await b.until(() => b.queries(), { CTAS_T_0: 'RUNNING', CSAS_Q_2: 'RUNNING' });
    expect(Date.now() - ended).toBeLessThan(2000);
    await b.post("INSERT INTO S VALUES ('a', 3);");
    await b.until(() => b.pull(COUNTED), [[3]]);
    await b.post('CREATE STREAM P AS SELECT K, V FROM S;');
    expect(Object.keys(await b.queries())).toContain('CSAS_P_3');
    expect(await b.process.kill('SIGTERM')).toMatchObject({ code: 0 });
  }, 60_000);

  test.each(['exactly_once_v2', 'at_least_once'])(
    '%s: it takes over from one that slept, which waits when it wakes, or was killed',
    async (guarantee) => {
      const service = uniqueName('zombie');
      const set = ['--set', `processing.guarantee=${guarantee}`];
      const a = await start(service, 2000, set);
      await a.post(declare(service));
      await a.post("INSERT INTO S VALUES ('a', 1);");
      await a.until(() => a.pull(COUNTED), [[1]]);
      const b = await start(service, 2000, set);
      await b.until(() => b.queries(), { CTAS_T_0: `WAITING ${a.url}` });

      a.process.process.kill('SIGSTOP');
      await b.post("INSERT INTO S VALUES ('a', 2);");
      await b.until(() => b.pull(COUNTED), [[2]]);
      a.process.process.kill('SIGCONT');
      const woken = Date.now();
      await a.process.until(() => a.process.stderr.includes('WAITING'), 'it waits');
      expect(Date.now() - woken).toBeLessThan(2000);
      expect(a.process.stderr.indexOf('FENCED')).toBeLessThan(a.process.stderr.indexOf('WAITING'));
      await a.until(() => a.queries(), { CTAS_T_0: `WAITING ${b.url}` });
      await expect(a.pull(COUNTED)).rejects.toThrow(b.url);

      await b.process.kill('SIGKILL');
      await a.post("INSERT INTO S VALUES ('a', 3);");
      await a.until(() => a.pull(COUNTED), [[3]]);
      await a.process.kill('SIGKILL');
      // Nobody waits for the session of a process that is known to be dead.
      const c = await start(service, 60_000, set);
      await c.until(() => c.pull(COUNTED), [[3]]);
    },
    60_000,
  );

  test('one that is alone and slept goes on by itself', async () => {
    const service = uniqueName('alone');
    const a = await start(service, 1500);
    await a.post(declare(service));
    await a.post("INSERT INTO S VALUES ('a', 1);");
    await a.until(() => a.pull(COUNTED), [[1]]);
    for (const n of [2, 3]) {
      await settled(service);
      a.process.process.kill('SIGSTOP');
      await new Promise((resolve) => setTimeout(resolve, 3500));
      a.process.process.kill('SIGCONT');
      await a.post("INSERT INTO S VALUES ('a', 2);");
      await a.until(() => a.pull(COUNTED), [[n]]);
    }
    await a.process.until(() => a.process.stderr.split('FENCED').length > 2, 'it was told');
  }, 60_000);

  test('a script waits until its statements may run', async () => {
    const service = uniqueName('script');
    const args = ['run', '--kafka', address, '--service-id', service, 'test/fixtures/counting.sql', '--stay'];
    const run = (): Millrace => {
      const process = new Millrace([...args, '--set', 'session.timeout.ms=2000', '--output', 'json']);
      started.push(process);
      return process;
    };
    const a = run();
    await a.until(() => a.stdout.includes('"N":1'), 'it has run');
    const b = run();
    await b.until(() => b.stderr.includes('waiting: '), 'it says that it waits');
    expect(b.stderr).toContain(`process ${a.process.pid}`);
    expect(b.stdout).toBe('');
    await a.kill('SIGTERM');
    await b.until(() => b.stdout.includes('"N":2'), 'it goes on where the other one stopped');
  }, 60_000);
});
