import type { ProtocolRequest } from './kafkajs-parts.ts';
import { ProtocolReader } from './protocol-reader.ts';
import { ProtocolWriter } from './protocol-writer.ts';

/**
 * A request by what it writes and reads. `encode` is called for every attempt; a response begins or ends with the
 * throttle time, or lacks it, as told. `flexible` versions (KIP-482) end their head, and that of the answer, with tagged fields, which
 * kafkajs knows nothing of: they are the first byte of the body then.
 */
export function protocolRequest<T>(
  api: { readonly key: number; readonly version: number; readonly name: string },
  write: (body: ProtocolWriter) => void,
  read: (body: ProtocolReader) => T,
  options: {
    readonly flexible?: boolean;
    readonly throttled?: 'first' | 'last' | 'unread';
    readonly timeoutMs?: number;
    readonly sizeHint?: number;
  } = {},
): ProtocolRequest<T> {
  return {
    request: {
      apiKey: api.key,
      apiVersion: api.version,
      apiName: api.name,
      encode() {
        const writer = new ProtocolWriter(options.sizeHint ?? 512);
        if (options.flexible === true) writer.tags();
        write(writer);
        const body = writer.buffer.subarray(0, writer.length);
        return { buf: body, buffer: body };
      },
    },
    response: {
      decode(payload) {
        const reader = new ProtocolReader(payload);
        if (options.flexible === true) reader.tags();
        const { throttled = 'first' } = options;
        const first = throttled === 'first' ? reader.int32() : 0;
        const body = read(reader);
        return { clientSideThrottleTime: throttled === 'last' ? reader.int32() : first, body };
      },
      parse: (decoded) => decoded.body,
    },
    ...(options.timeoutMs === undefined ? {} : { requestTimeout: options.timeoutMs }),
    logResponseError: false,
    isOwn: true,
  };
}

/**
 * Items under the names of their topics, as most requests want them; order is kept within a topic. In flexible versions
 * the tags of items and topics are written here.
 */
export function writeByTopic<T extends { readonly topic: string }>(
  w: ProtocolWriter,
  items: readonly T[],
  write: (item: T) => void,
  flexible = false,
): void {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.topic);
    if (group === undefined) groups.set(item.topic, [item]);
    else group.push(item);
  }
  if (!flexible) {
    w.array([...groups], ([topic, group]) => w.string(topic).array(group, write));
    return;
  }
  w.compactArray([...groups], ([topic, group]) => {
    w.compactString(topic)
      .compactArray(group, (item) => {
        write(item);
        w.tags();
      })
      .tags();
  });
}

/** What most responses are: something of each partition, under the names of the topics. */
export function readByTopic<T>(r: ProtocolReader, read: (topic: string) => T, flexible = false): T[] {
  if (flexible)
    return r
      .compactArray(() => {
        const topic = r.compactString();
        const items = r.compactArray(() => {
          const item = read(topic);
          r.tags();
          return item;
        });
        r.tags();
        return items;
      })
      .flat();
  return r
    .array(() => {
      const topic = r.string();
      return r.array(() => read(topic));
    })
    .flat();
}

export interface PartitionCode {
  readonly topic: string;
  readonly partition: number;
  readonly code: number;
}

export function readPartitionCodes(r: ProtocolReader, flexible = false): PartitionCode[] {
  return readByTopic(r, (topic) => ({ topic, partition: r.int32(), code: r.int16() }), flexible);
}
