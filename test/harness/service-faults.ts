import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { KafkaOptions } from '../../scripts/kafka.js';
import { JudgedService } from './judged-service.ts';
import { API, startProxiedKafka } from './kafka-proxy.ts';
import type { KafkaProxy, ProxiedKafka } from './kafka-proxy.ts';

export type RequestName = keyof typeof API;

const REPEATED_AFTER_MS = 2000;

/** Requests that a server makes when it starts and hardly ever later. */
const AT_START: ReadonlySet<RequestName> = new Set(['metadata', 'findCoordinator', 'initProducerId']);

/**
 * A whole service and what may befall its requests: killed while one is held, which comes when the next process has written;
 * killed when the broker has done one and the process does not know; not answered five times; repeated two seconds later.
 * Whatever it is, state and output are exact.
 */
export function describeServiceFaults(
  kafka: KafkaOptions,
  faults: {
    readonly held: readonly RequestName[];
    readonly done: readonly RequestName[];
    readonly unanswered: readonly RequestName[];
    readonly repeated: readonly RequestName[];
  },
): void {
  describe('a service', () => {
    let proxied: ProxiedKafka;
    let proxy: KafkaProxy;
    let service: JudgedService;
    const finished: JudgedService[] = [];

    beforeAll(async () => {
      proxied = await startProxiedKafka(kafka);
      proxy = proxied.proxy;
    });
    afterEach(async () => {
      proxy.reset();
      await service.close();
    });
    afterAll(() => proxied.stop());

    const begin = async (): Promise<void> => {
      service = await JudgedService.create(proxy.address, proxied.direct);
      await service.start();
      await service.declare();
      await service.write(100);
      await service.settled();
    };
    const restart = async (): Promise<void> => {
      await service.kill();
      await service.start();
    };
    const writeAndSettle = async (rows: number): Promise<void> => {
      await service.write(rows);
      await service.settled();
    };
    const finish = async (): Promise<void> => {
      await service.finish();
      finished.push(service);
    };

    for (const name of faults.held)
      test(`${name} is held, and the process killed`, async () => {
        await begin();
        if (AT_START.has(name)) await service.kill();
        const held = proxy.on({ apiKey: API[name] }, { do: 'hold' });
        await service.write(100);
        if (AT_START.has(name)) service.startUnheard();
        await held.hit();
        held.remove();
        await service.write(100);
        await restart();
        await service.settled();
        held.release();
        await writeAndSettle(100);
        await writeAndSettle(100);
        await finish();
      });

    for (const name of faults.done)
      test(`${name} is done, and the process killed before it knows`, async () => {
        await begin();
        const done = proxy.on({ apiKey: API[name] }, { do: 'swallowAnswer' });
        await service.write(100);
        await done.hit();
        done.remove();
        await restart();
        await writeAndSettle(100);
        await finish();
      });

    for (const name of faults.unanswered)
      test(`${name} is not answered five times`, async () => {
        await begin();
        if (AT_START.has(name)) await service.kill();
        const dropped = proxy.on({ apiKey: API[name], times: 5 }, { do: 'dropAnswer' });
        if (AT_START.has(name)) await service.start();
        do await writeAndSettle(50);
        while (dropped.hits.length < 5);
        await finish();
      });

    for (const name of faults.repeated)
      test(`${name} comes again two seconds later`, async () => {
        await begin();
        if (AT_START.has(name)) await service.kill();
        const rule = { apiKey: API[name], times: 5 };
        const repeated = proxy.on(rule, { do: 'duplicate', afterMs: REPEATED_AFTER_MS });
        if (AT_START.has(name)) await service.start();
        do await writeAndSettle(20);
        while (repeated.hits.length === 0 || repeated.repeatAnswers.length < repeated.hits.length);
        await finish();
      });

    test('Java sees what all of them have done', async () => {
      expect(finished).not.toEqual([]);
      await JudgedService.judge(proxied.direct, finished);
    });
  });
}
