import { ByteWriter } from '../../common/bytes.ts';
import { DataError, SqlError } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import { appendRecord } from '../../log/append-record.ts';
import { LogError } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import { type AnalyzedInsert, analyzeInsertValues } from '../../sql/analyzer/analyze-insert-values.ts';
import { settingsOf } from '../../sql/catalog/format-settings.ts';
import type { SideFormat } from '../../sql/catalog/source.ts';
import type { Column } from '../../types/schema.ts';
import type { SqlValue } from '../../types/value.ts';
import type { StatementCall } from '../engine.ts';
import { within } from '../statement-order.ts';
import { message } from './answer.ts';
import type { EntityStatement } from './definition.ts';
import { analyzeContext } from './analyze-context.ts';

/**
 * INSERT INTO … VALUES: one record, acknowledged by the log before the statement is. Only what it means is a matter of
 * its turn; statements of others do not wait until it is written.
 */
export const insertValues: EntityStatement<'insertValues'> = {
  effect: 'records',
  run(statement, call) {
    const { engine } = call;
    const insert = analyzeInsertValues(statement, analyzeContext(call));
    engine.reservedTopics.checkWritable(insert.source.topic, statement.targetSpan);
    const row = { given: false, late: false };
    const written = write(call, insert, row).catch((error: unknown) => {
      const isOfUser = error instanceof DataError || (error instanceof LogError && error.refusesRecord);
      throw isOfUser ? new SqlError('ML_DATA', error.message, { span: statement.span }) : error;
    });
    call.answerAfter(
      within(engine.options.clock, engine.logPatienceMs, written, () => {
        row.late = true;
        return row.given
          ? new SqlError('ML_LOG', 'the log has not acknowledged the row in time', {
              hint: 'it may have been written, or may be when the log (Kafka) comes back: look before you insert it again',
            })
          : new SqlError('ML_LOG', `the log has not said in time where topic ${insert.source.topic} is`, {
              hint: 'nothing was written; look whether the log (Kafka) can be reached, and insert again',
            });
      }),
    );
    return message('');
  },
};

/** `row`: whether it was given to the log, and whether the client has given up waiting: then it is not given. */
async function write(
  call: StatementCall,
  insert: AnalyzedInsert,
  row: { given: boolean; readonly late: boolean },
): Promise<void> {
  const { engine } = call;
  const { source } = insert;
  const key = encode(source.keyFormat, source.schema.key, insert.key, true);
  const value = encode(source.valueFormat, source.schema.value, insert.value, false);
  const { writer, partitions, commit } = await engine.inserter(source, call);
  if (row.late) return;
  const partition = key === null ? 0 : partitionOfKey(key, 0, key.length, partitions);
  const timestamp = insert.timestampMs ?? engine.insertTimeMs();
  appendRecord(writer, { topic: source.topic, partition }, { timestamp, key, value });
  row.given = true;
  await commit();
}

/** Null where a side has no columns, for a key of nulls, and for a lone null that the format does not write. */
function encode(
  side: SideFormat,
  columns: readonly Column[],
  row: readonly SqlValue[],
  isKey: boolean,
): Buffer | null {
  if (columns.length === 0) return null;
  const format = formatOf(side.name);
  const nullIsNothing = isKey || (!side.wrapped && format.loneNull === 'no-value');
  if (nullIsNothing && row.every((value) => value === null)) return null;
  const writer = new ByteWriter(256);
  format.openEncoder(columns, settingsOf(side, isKey)).encode(
    row,
    columns.map((_, i) => i),
    writer,
  );
  return writer.toBytes();
}
