import { workerData } from 'node:worker_threads';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import { openStateBackend } from '../../src/state/task-state.ts';
import { Serdes } from '../../src/streams/dsl/serdes.ts';
import { StreamsBuilder } from '../../src/streams/dsl/streams-builder.ts';
import { inStreamThread, runStreamThread } from '../../src/streams/application/stream-threads.ts';

/** What every thread of `stream-threads.test.ts` loads: a count of values. Its settings come by the environment. */
const setting = (name: string): string => process.env[`THREAD_${name}`] ?? '';

if (inStreamThread)
  await runStreamThread(async (thread) => {
    if (setting('FAIL') === String(thread)) throw new Error('this thread cannot start');
    const log = await openKafkaLog({
      brokers: [setting('KAFKA')],
      clientId: `thread-${String((workerData as { streamThread: number }).streamThread)}`,
      clock: systemClock,
      logger: silentLogger,
    });
    const builder = new StreamsBuilder({ keySerde: Serdes.string, valueSerde: Serdes.string });
    builder
      .stream<string, string>(setting('INPUT'))
      .mapValues((word) => {
        if (word === 'poison') throw new TypeError('a bug');
        return word;
      })
      .groupBy((_key, word) => word)
      .count({ name: 'totals' })
      .toStream()
      .mapValues(String)
      .to(setting('OUTPUT'), { valueSerde: Serdes.string });
    return {
      topology: builder.build(),
      options: {
        applicationId: setting('APPLICATION'),
        processingGuarantee: setting('GUARANTEE') === '' ? 'at_least_once' : 'exactly_once_v2',
        log,
        state: openStateBackend(),
        stateDirectory: setting('STATE'),
        clock: systemClock,
        logger: silentLogger,
      },
    };
  });
