import { ByteWriter } from '../../src/common/bytes.ts';
import type { Log } from '../../src/log/log.ts';
import type { RecordBatch } from '../../src/log/record-batch.ts';
import { measure, UNITS_OVER } from '../workload.ts';
import type { Measured, Workload } from '../workload.ts';

const FLUSH_BYTES = 4 << 20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const BACKSLASH = 0x5c;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** The columns that are wanted, and where the last scan found their values. */
const NAMES = ['orderid', 'itemid', 'orderunits', 'ordertime'].map((name) => Buffer.from(name));
const PREFIXES = ['{"ORDERID":', ',"ITEMID":', ',"ORDERUNITS":', ',"ORDERTIME":'].map((text) =>
  Buffer.from(text),
);
const UNITS = 2;
const starts = new Int32Array(NAMES.length);
const ends = new Int32Array(NAMES.length);

/**
 * What is possible by hand over our log: batches as they come, a scan over each value's bytes for four columns, output
 * encoded from byte ranges. It knows its input (no spaces, objects nested once, no arrays), which an engine may not.
 */
export async function handWritten(log: Log, workload: Workload): Promise<Measured> {
  const { input, output, partitions, records } = workload;
  const reader = log.openReader();
  const writer = await log.openWriter();
  const appenders = Array.from({ length: partitions }, (_, partition) =>
    writer.appender({ topic: output, partition }),
  );
  for (let partition = 0; partition < partitions; partition++)
    reader.assign({ topic: input, partition, offset: 0 });
  const row = new ByteWriter();
  const measured = await measure(records, async () => {
    let read = 0;
    let written = 0;
    let flushed: Promise<void> = Promise.resolve();
    while (read < records) {
      for (const batch of await reader.poll(1000)) {
        const appender = appenders[batch.partition]!;
        const { buffer, timestamps, keyStart, keyEnd, valueStart, valueEnd } = batch;
        for (let i = batch.first; i < batch.count; i++) {
          read++;
          if (
            !scan(batch, valueStart[i]!, valueEnd[i]!) ||
            numberAt(buffer, starts[UNITS]!, ends[UNITS]!) <= UNITS_OVER
          )
            continue;
          row.length = 0;
          for (let column = 0; column < NAMES.length; column++) {
            row.writeBytes(PREFIXES[column]!);
            row.writeBytes(buffer, starts[column], ends[column]);
          }
          row.writeByte(CLOSE_BRACE);
          appender.append(timestamps[i]!, buffer, keyStart[i]!, keyEnd[i]!, row.buffer, 0, row.length, null);
          written++;
        }
      }
      if (writer.pendingBytes < FLUSH_BYTES) continue;
      // One flush runs while the next is gathered.
      await flushed;
      flushed = writer.flush();
    }
    await flushed;
    await writer.flush();
    return written;
  });
  await reader.close();
  await writer.close();
  return measured;
}

/** Finds the wanted values of one order; false when one is missing. */
function scan({ buffer }: RecordBatch, start: number, end: number): boolean {
  let found = 0;
  let at = start + 1;
  while (at < end && buffer[at] === QUOTE) {
    const nameStart = at + 1;
    at = nameStart;
    while (buffer[at] !== QUOTE) at++;
    const column = columnOf(buffer, nameStart, at);
    at++;
    if (buffer[at] !== COLON) return false;
    at++;
    const valueStart = at;
    if (buffer[at] === QUOTE) {
      at = afterString(buffer, at);
    } else if (buffer[at] === OPEN_BRACE) {
      while (buffer[at] !== CLOSE_BRACE) at = buffer[at] === QUOTE ? afterString(buffer, at) : at + 1;
      at++;
    } else {
      while (buffer[at] !== COMMA && buffer[at] !== CLOSE_BRACE) at++;
    }
    if (column >= 0) {
      starts[column] = valueStart;
      ends[column] = at;
      if (++found === NAMES.length) return true;
    }
    at++;
  }
  return false;
}

function afterString(buffer: Buffer, quote: number): number {
  let at = quote + 1;
  while (buffer[at] !== QUOTE) at += buffer[at] === BACKSLASH ? 2 : 1;
  return at + 1;
}

function columnOf(buffer: Buffer, start: number, end: number): number {
  next: for (let column = 0; column < NAMES.length; column++) {
    const name = NAMES[column]!;
    if (name.length !== end - start) continue;
    for (let i = 0; i < name.length; i++) if (buffer[start + i] !== name[i]) continue next;
    return column;
  }
  return -1;
}

/** A decimal without sign or exponent. */
function numberAt(buffer: Buffer, start: number, end: number): number {
  let value = 0;
  let scale = 0;
  for (let i = start; i < end; i++) {
    const byte = buffer[i]!;
    if (byte === 0x2e) scale = 1;
    else {
      value = value * 10 + byte - 0x30;
      scale *= 10;
    }
  }
  return scale === 0 ? value : value / scale;
}
