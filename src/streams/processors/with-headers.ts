import type { Header } from '../../log/record-batch.ts';
import type { RecordContext } from '../topology/processor.ts';

/** Runs a forward whose records go out with these headers instead of the record's own. */
export function withHeaders(record: RecordContext, headers: readonly Header[], forward: () => void): void {
  const before = record.replaceHeaders(headers);
  try {
    forward();
  } finally {
    record.replaceHeaders(before);
  }
}
