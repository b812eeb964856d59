import { progressText } from '../streams/instance/restoration.ts';
import type { Engine } from './engine.ts';
import { applicationIdOf } from './query-application.ts';
import type { PersistentQuery } from './persistent-query.ts';
import type { OffsetSummary } from './result.ts';

/** The statistics in DESCRIBE EXTENDED, of the queries that read or write a source, since they were started here. */

/** `CTAS_T_0: 5 records, 1 skip or failed evaluation`, a line for each query. */
export function statisticsText(queries: readonly PersistentQuery[]): string {
  return queries
    .map(({ id, streams, restoration }) => {
      const skips = streams.skippedRecords;
      const skipped =
        skips === 0
          ? ''
          : `, ${skips} ${skips === 1 ? 'skip or failed evaluation' : 'skips or failed evaluations'}`;
      const records = streams.processedRecords;
      const restoring = restoration === null ? '' : `, restoring: ${progressText(restoration)}`;
      return `${id}: ${records} ${records === 1 ? 'record' : 'records'}${skipped}${restoring}`;
    })
    .join('\n');
}

/** The latest error of each query that had one. */
export function errorText(queries: readonly PersistentQuery[]): string {
  return queries
    .flatMap(({ id, errors }) => {
      const last = errors.at(-1);
      return last === undefined ? [] : [`${id}: ${last.message}`];
    })
    .join('\n');
}

/** The committed positions of each query in the topics that it reads. */
export async function offsetSummaries(
  engine: Engine,
  queries: readonly PersistentQuery[],
): Promise<readonly OffsetSummary[]> {
  const { admin } = engine.log;
  return Promise.all(
    queries.map(async (query) => {
      const groupId = applicationIdOf(query.id, engine);
      const committed = await admin.committed(groupId);
      const topicSummaries = await Promise.all(
        query.lowered.sources.map(async (kafkaTopic) => ({
          kafkaTopic,
          offsets: (await admin.offsets(kafkaTopic)).map(({ start, end }, partition) => ({
            partition,
            logStartOffset: start,
            logEndOffset: end,
            consumerOffset:
              committed.find((each) => each.topic === kafkaTopic && each.partition === partition)?.offset ??
              0,
          })),
        })),
      );
      return { groupId, topicSummaries };
    }),
  );
}
