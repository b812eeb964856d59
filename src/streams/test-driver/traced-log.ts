import type { Log, LogWriter, TopicPartition } from '../../log/log.ts';
import type { RecordAppender } from '../../log/record-appender.ts';

/** A log that tells in which order records were written, over all partitions: partitions do not keep that. */
export function traceWrites(log: Log, onAppend: (at: TopicPartition) => void): Log {
  return {
    admin: log.admin,
    openReader: (options) => log.openReader(options),
    async openWriter(options) {
      return tracedWriter(await log.openWriter(options), onAppend);
    },
    close: () => log.close(),
  };
}

function tracedWriter(writer: LogWriter, onAppend: (at: TopicPartition) => void): LogWriter {
  const appenders = new Map<string, RecordAppender>();
  return {
    appender(at) {
      const name = `${at.topic}/${at.partition}`;
      let appender = appenders.get(name);
      if (appender === undefined)
        appenders.set(name, (appender = tracedAppender(writer.appender(at), at, onAppend)));
      return appender;
    },
    atomicCommit: writer.atomicCommit,
    flushStaysHidden: writer.flushStaysHidden,
    lingerMs: writer.lingerMs,
    readable: () => writer.readable(),
    get pendingBytes() {
      return writer.pendingBytes;
    },
    get unsentBytes() {
      return writer.unsentBytes;
    },
    isPending: (at) => writer.isPending(at),
    flush: () => writer.flush(),
    commit: (offsets) => writer.commit(offsets),
    endOffset: (at) => writer.endOffset(at),
    close: () => writer.close(),
  };
}

function tracedAppender(
  appender: RecordAppender,
  at: TopicPartition,
  onAppend: (at: TopicPartition) => void,
): RecordAppender {
  return {
    append(timestampMs, key, keyStart, keyEnd, value, valueStart, valueEnd, headers) {
      appender.append(timestampMs, key, keyStart, keyEnd, value, valueStart, valueEnd, headers);
      onAppend(at);
    },
    get pendingRecords() {
      return appender.pendingRecords;
    },
    get pendingBytes() {
      return appender.pendingBytes;
    },
    mark: () => appender.mark(),
    rollback: (mark) => appender.rollback(mark),
  };
}
