import { Kafka, logLevel } from 'kafkajs';
import { expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { Millrace } from '../harness/millrace.ts';

/** A server on Kafka, its clients, and programs that know nothing of it. */

describeKafka('millrace server on Kafka', (address) => {
  const kafka = new Kafka({ brokers: [address], logLevel: logLevel.NOTHING });

  test('a plain WebSocket client gets rows while another program produces; unusable records are kept aside', async () => {
    const topic = uniqueName('orders');
    const admin = kafka.admin();
    const producer = kafka.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    await admin.createTopics({ topics: [{ topic, numPartitions: 2 }], waitForLeaders: true });
    const send = (partition: number, key: string, value: string): Promise<unknown> =>
      producer.send({ topic, messages: [{ partition, key, value }] });

    // Skipped records are warned of.
    const service = ['--service-id', `${topic}_`, '--log-level', 'error'];
    const server = new Millrace(['server', '--port', '0', '--kafka', address, ...service]);
    try {
      await server.until(() => server.stdout.includes('\n'), 'it listens');
      const url = /http:\/\/\S+/.exec(server.stdout)![0];
      const post = async (ksql: string): Promise<void> => {
        const response = await fetch(`${url}/ksql`, { method: 'POST', body: JSON.stringify({ ksql }) });
        expect(response.status, await response.text()).toBe(200);
      };
      const ask = (ksql: string) => {
        const client = new WebSocket(
          `${url.replace('http', 'ws')}/ws/query?request=${encodeURIComponent(JSON.stringify({ ksql }))}`,
        );
        const frames: string[] = [];
        client.on('message', (data: Buffer) => frames.push(data.toString()));
        const closed = new Promise<number>((resolve) => client.on('close', resolve));
        const until = async (count: number): Promise<void> => {
          while (frames.length < count) await new Promise((resolve) => client.once('message', resolve));
        };
        return { frames, closed, until };
      };
      await post(
        `CREATE STREAM ORDERS (ID STRING KEY, AMOUNT INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON');`,
      );
      await post('CREATE STREAM LARGE AS SELECT ID, AMOUNT FROM ORDERS WHERE AMOUNT > 10;');

      const rows = ask('SELECT ID, AMOUNT * 2 AS TWICE FROM ORDERS EMIT CHANGES LIMIT 4;');
      const large = ask('SELECT ID FROM LARGE EMIT CHANGES LIMIT 2;');
      await rows.until(1);
      await send(0, 'a', '{"AMOUNT": 1}');
      await rows.until(2);
      await send(1, 'b', '{"AMOUNT": 20}');
      await rows.until(3);
      await send(0, 'c', 'not json');
      await send(0, 'd', '{"amount": 30}');
      await send(1, 'e', '{}');
      expect(await rows.closed).toBe(1000);
      expect(rows.frames.slice(1, 3)).toEqual([
        '{"row":{"columns":["a",2]}}',
        '{"row":{"columns":["b",40]}}',
      ]);
      expect(rows.frames.slice(3, 5).sort()).toEqual([
        '{"row":{"columns":["d",60]}}',
        '{"row":{"columns":["e",null]}}',
      ]);
      expect(await large.closed).toBe(1000);
      expect(large.frames.slice(1, 3)).toEqual(['{"row":{"columns":["b"]}}', '{"row":{"columns":["d"]}}']);

      const skipped = ask(
        "SELECT TOPIC, `PARTITION`, `OFFSET`, RECORD_TEXT FROM KSQL_PROCESSING_LOG WHERE QUERY LIKE '%LARGE%' EMIT CHANGES LIMIT 1;",
      );
      await skipped.closed;
      expect(skipped.frames[1]).toBe(`{"row":{"columns":["${topic}",0,1,"not json"]}}`);
      expect(await server.kill('SIGTERM')).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await server.kill('SIGKILL');
      await Promise.all([admin.disconnect(), producer.disconnect()]);
    }
  });

  test('a second server with the same service id finds statements and goes on where the first one stopped', async () => {
    const topic = uniqueName('again');
    const args = ['server', '--port', '0', '--kafka', address, '--service-id', `${topic}_`];
    const counts: string[] = [];
    for (const [i, signal] of (['SIGTERM', 'SIGKILL', 'SIGTERM'] as const).entries()) {
      const server = new Millrace(args);
      try {
        await server.until(() => server.stdout.includes('\n'), 'it listens');
        const url = /http:\/\/\S+/.exec(server.stdout)![0];
        const post = async (path: string, body: object): Promise<string> => {
          const response = await fetch(url + path, { method: 'POST', body: JSON.stringify(body) });
          const text = await response.text();
          expect(response.status, text).toBe(200);
          return text;
        };
        if (i === 0)
          await post('/ksql', {
            ksql: `CREATE STREAM S (K STRING KEY, V INT) WITH (KAFKA_TOPIC='${topic}', KEY_FORMAT='KAFKA', VALUE_FORMAT='JSON', PARTITIONS=1);
              CREATE TABLE T WITH (KAFKA_TOPIC='${topic}-t') AS SELECT K, COUNT(*) AS N FROM S GROUP BY K;`,
          });
        await post('/ksql', { ksql: `INSERT INTO S VALUES ('a', ${i});` });
        const text = await post('/query-stream', {
          sql: `SELECT N FROM T WHERE N > ${i} EMIT CHANGES LIMIT 1;`,
        });
        counts.push(text.trimEnd().split('\n')[1]!);
        await server.kill(signal);
      } finally {
        await server.kill('SIGKILL');
      }
    }
    expect(counts).toEqual(['[1]', '[2]', '[3]']);
  });
});
