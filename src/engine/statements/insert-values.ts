import { ByteWriter } from '../../common/bytes.ts';
import { DataError, SqlError } from '../../common/error.ts';
import { formatOf } from '../../formats/registry.ts';
import { LogError } from '../../log/log.ts';
import { partitionOfKey } from '../../log/partitioner.ts';
import { type AnalyzedInsert, analyzeInsertValues } from '../../sql/analyzer/analyze-insert-values.ts';
import type { SideFormat } from '../../sql/catalog/source.ts';
import type { Column } from '../../types/schema.ts';
import type { SqlValue } from '../../types/value.ts';
import type { StatementCall } from '../engine.ts';
import { partitionsOf } from '../topics.ts';
import { message, type StatementHandler } from './answer.ts';
import { analyzeContext } from './analyze-context.ts';

/** INSERT INTO … VALUES: one record, acknowledged by the log before the statement is. */
export const insertValues: StatementHandler<'insertValues'> = async (statement, call) => {
  const insert = analyzeInsertValues(statement, analyzeContext(call));
  call.engine.reservedTopics.checkWritable(insert.source.topic, statement.targetSpan);
  try {
    await write(call, insert);
  } catch (error) {
    if (error instanceof DataError) throw new SqlError('ML_DATA', error.message, { span: statement.span });
    if (error instanceof LogError && error.kind === 'record-too-large')
      throw new SqlError('ML_DATA', error.message, { span: statement.span });
    throw error;
  }
  return message('');
};

async function write(call: StatementCall, insert: AnalyzedInsert): Promise<void> {
  const { engine, script } = call;
  const { source } = insert;
  const key = encode(source.keyFormat, source.schema.key, insert.key, true);
  const value = encode(source.valueFormat, source.schema.value, insert.value, false);
  const partitions = await partitionsOf(engine.log.admin, source);
  const { writer, commit } = engine.inserter(script);
  const partition = key === null ? 0 : partitionOfKey(key, 0, key.length, partitions);
  writer
    .appender({ topic: source.topic, partition })
    .append(
      insert.timestampMs ?? engine.insertTimeMs(),
      key ?? EMPTY,
      key === null ? -1 : 0,
      key?.length ?? -1,
      value ?? EMPTY,
      value === null ? -1 : 0,
      value?.length ?? -1,
      null,
    );
  await commit();
}

const EMPTY = Buffer.alloc(0);

/** Null where a side has no columns, and for a key of nulls or an unwrapped null. */
function encode(
  side: SideFormat,
  columns: readonly Column[],
  row: readonly SqlValue[],
  isKey: boolean,
): Buffer | null {
  if (columns.length === 0) return null;
  if ((isKey || !side.wrapped) && row.every((value) => value === null)) return null;
  const settings = { isKey, wrapped: side.wrapped, properties: new Map(side.properties) };
  const writer = new ByteWriter(256);
  formatOf(side.name)
    .openEncoder(columns, settings)
    .encode(
      row,
      columns.map((_, i) => i),
      writer,
    );
  return writer.toBytes();
}
