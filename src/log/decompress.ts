import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';

/** Kafka's compression codecs by number: https://kafka.apache.org/documentation/#recordbatch */
export interface Codec {
  readonly name: string;
  /** The records of a batch. Throws what the library throws when the bytes are damaged. */
  readonly decompress: (bytes: Buffer) => Buffer;
}

/** Native packages are loaded when the first batch needs them: most topics are not compressed, and starting is quick. */
const load = createRequire(import.meta.url);

export const CODECS: Readonly<Record<number, Codec>> = {
  1: { name: 'gzip', decompress: (bytes) => zlib.gunzipSync(bytes) },
  2: { name: 'snappy', decompress: unsnappy },
  3: {
    name: 'lz4',
    decompress: (bytes) => (load('lz4-napi') as typeof import('lz4-napi')).decompressFrameSync(bytes),
  },
  4: {
    name: 'zstd',
    decompress: 'zstdDecompressSync' in zlib ? nativeZstd : (bytes) => asBuffer(unzstd(bytes)),
  },
};

/** What Java's clients write: this, two versions of four bytes, then blocks, each behind its size of four bytes. */
const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEAD_BYTES = 16;

/** Java's clients write snappy in blocks of their own framing, librdkafka in one block. */
function unsnappy(bytes: Buffer): Buffer {
  const { uncompressSync } = load('snappy') as typeof import('snappy');
  const block = (from: Buffer): Buffer => uncompressSync(from, { asBuffer: true }) as Buffer;
  if (!bytes.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) return block(bytes);
  const blocks: Buffer[] = [];
  for (let at = XERIAL_HEAD_BYTES; at < bytes.length;) {
    const start = at + 4;
    at = start + bytes.readInt32BE(at);
    if (at < start || at > bytes.length) throw new RangeError('a snappy block runs over its batch');
    blocks.push(block(bytes.subarray(start, at)));
  }
  return Buffer.concat(blocks);
}

/** Node 22.15 and later have it themselves. */
function nativeZstd(bytes: Buffer): Buffer {
  return (zlib as unknown as { zstdDecompressSync: (bytes: Buffer) => Buffer }).zstdDecompressSync(bytes);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
