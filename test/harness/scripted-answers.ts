import { ProtocolReader } from '../../src/log/kafka/protocol-reader.ts';
import { ProtocolWriter } from '../../src/log/kafka/protocol-writer.ts';
import { API } from './kafka-proxy.ts';
import type { KafkaProxy, RequestFrame, Rule } from './kafka-proxy.ts';

/**
 * What a real broker can't be made to say: the proxy answers in its place, the broker never sees the request. Bodies are as
 * https://kafka.apache.org/protocol#protocol_messages has them, in the versions that we send and no others.
 */

/** Answers the next requests of a kind with error codes, one after another; those that follow come to the broker. */
export function answerWithCodes(
  proxy: KafkaProxy,
  apiKey: number,
  codes: readonly number[],
  options: { readonly throttleMs?: number } = {},
): Rule {
  const rest = [...codes];
  return proxy.on(
    { apiKey, times: codes.length },
    { do: 'answer', with: (frame) => refusal(frame, rest.shift()!, options.throttleMs ?? 0) },
  );
}

/** The body of an answer that refuses everything in a request. */
function refusal(frame: RequestFrame, code: number, throttleMs: number): Buffer {
  const w = new ProtocolWriter(256);
  const r = new ProtocolReader(frame.bytes);
  r.at = frame.bodyStart;
  const write = REFUSALS[`${frame.apiKey}/${frame.apiVersion}`];
  if (write === undefined)
    throw new Error(`no answer is scripted for request ${frame.apiKey}, version ${frame.apiVersion}`);
  write(r, w, code, throttleMs);
  return Buffer.from(w.buffer.subarray(0, w.length));
}

type WriteRefusal = (r: ProtocolReader, w: ProtocolWriter, code: number, throttleMs: number) => void;

interface Partitions {
  readonly topic: string;
  readonly partitions: readonly number[];
}

function flexibleTopics(r: ProtocolReader, skip: () => void): Partitions[] {
  return r.compactArray(() => {
    const topic = r.compactString();
    const partitions = r.compactArray(() => {
      const partition = r.int32();
      skip();
      r.tags();
      return partition;
    });
    r.tags();
    return { topic, partitions };
  });
}

function topicsOf(r: ProtocolReader, skip: () => void): Partitions[] {
  return r.array(() => {
    const topic = r.string();
    const partitions = r.array(() => {
      const partition = r.int32();
      skip();
      return partition;
    });
    return { topic, partitions };
  });
}

function writeFlexible(
  w: ProtocolWriter,
  topics: readonly Partitions[],
  write: (partition: number) => void,
): void {
  w.compactArray(topics, ({ topic, partitions }) => {
    w.compactString(topic)
      .compactArray(partitions, (partition) => {
        write(partition);
        w.tags();
      })
      .tags();
  });
}

function writePlain(
  w: ProtocolWriter,
  topics: readonly Partitions[],
  write: (partition: number) => void,
): void {
  w.array(topics, ({ topic, partitions }) => w.string(topic).array(partitions, write));
}

const skipCompactBytes = (r: ProtocolReader): void => {
  r.at += r.unsignedVarint() - 1;
};

const REFUSALS: Readonly<Record<string, WriteRefusal>> = {
  [`${API.produce}/12`]: (r, w, code, throttleMs) => {
    r.tags();
    r.compactNullableString();
    r.at += 6; // acks, time-out
    const topics = flexibleTopics(r, () => skipCompactBytes(r));
    w.tags();
    writeFlexible(w, topics, (partition) => {
      w.int32(partition)
        .int16(code)
        .int64(-1)
        .int64(-1)
        .int64(-1)
        .compactArray([], () => {})
        .compactString(null);
    });
    w.int32(throttleMs).tags();
  },
  [`${API.produce}/7`]: (r, w, code, throttleMs) => {
    r.nullableString();
    r.at += 6;
    const topics = topicsOf(r, () => {
      r.at += r.int32();
    });
    writePlain(w, topics, (partition) => void w.int32(partition).int16(code).int64(-1).int64(-1).int64(-1));
    w.int32(throttleMs);
  },
  [`${API.txnOffsetCommit}/5`]: (r, w, code, throttleMs) => {
    r.tags();
    r.compactString();
    r.compactString();
    r.at += 8 + 2 + 4; // producer, epoch, generation
    r.compactString();
    r.compactNullableString();
    const topics = flexibleTopics(r, () => {
      r.at += 12; // offset, leader epoch
      r.compactNullableString();
    });
    w.tags().int32(throttleMs);
    writeFlexible(w, topics, (partition) => void w.int32(partition).int16(code));
    w.tags();
  },
  [`${API.txnOffsetCommit}/2`]: (r, w, code, throttleMs) => {
    r.string();
    r.string();
    r.at += 8 + 2;
    const topics = topicsOf(r, () => {
      r.at += 12;
      r.nullableString();
    });
    w.int32(throttleMs);
    writePlain(w, topics, (partition) => void w.int32(partition).int16(code));
  },
  [`${API.addPartitionsToTxn}/1`]: (r, w, code, throttleMs) => {
    r.string();
    r.at += 8 + 2;
    const topics = topicsOf(r, () => {});
    w.int32(throttleMs);
    writePlain(w, topics, (partition) => void w.int32(partition).int16(code));
  },
  [`${API.addOffsetsToTxn}/1`]: (_, w, code, throttleMs) => void w.int32(throttleMs).int16(code),
  [`${API.endTxn}/5`]: (_, w, code, throttleMs) =>
    void w.tags().int32(throttleMs).int16(code).int64(-1).int16(-1).tags(),
  [`${API.endTxn}/1`]: (_, w, code, throttleMs) => void w.int32(throttleMs).int16(code),
  [`${API.initProducerId}/4`]: (_, w, code, throttleMs) =>
    void w.tags().int32(throttleMs).int16(code).int64(-1).int16(-1).tags(),
  [`${API.findCoordinator}/1`]: (_, w, code, throttleMs) =>
    void w.int32(throttleMs).int16(code).string(null).int32(-1).string('').int32(-1),
  [`${API.offsetFetch}/7`]: (r, w, code, throttleMs) => {
    r.tags();
    r.compactString();
    const topics = r.compactArray(() => {
      const named = { topic: r.compactString(), partitions: r.compactArray(() => r.int32()) };
      r.tags();
      return named;
    });
    w.tags().int32(throttleMs);
    writeFlexible(w, topics, (partition) => {
      w.int32(partition).int64(-1).int32(-1).compactString('').int16(code);
    });
    w.int16(0).tags();
  },
};
