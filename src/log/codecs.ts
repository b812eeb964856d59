import { createRequire } from 'node:module';
import zlib from 'node:zlib';
import { decompress as unzstd } from 'fzstd';

/** The names that Kafka's `compression.type` has for them. */
export const COMPRESSIONS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

type Transform = (bytes: Buffer) => Buffer;

/** One of Kafka's codecs, both ways. Both throw what the library throws when the bytes are damaged. */
export interface Codec {
  readonly name: Exclude<Compression, 'none'>;
  /** The records of a batch. */
  readonly decompress: Transform;
  /** Loads what is needed to compress, so that compressing waits for nothing. */
  readonly openCompress: () => Promise<Transform>;
}

/** Native packages are loaded when the first batch needs them: most topics are not compressed, and starting is quick. */
const load = createRequire(import.meta.url);
const lz4 = (): typeof import('lz4-napi') => load('lz4-napi') as typeof import('lz4-napi');
const snappy = (): typeof import('snappy') => load('snappy') as typeof import('snappy');

/** Node 22.15 and later have it themselves. */
const nativeZstd =
  'zstdDecompressSync' in zlib
    ? (zlib as unknown as { zstdCompressSync: Transform; zstdDecompressSync: Transform })
    : null;

/** By the number that a batch's attributes have: https://kafka.apache.org/documentation/#recordbatch */
export const CODECS: Readonly<Record<number, Codec>> = {
  1: {
    name: 'gzip',
    decompress: (bytes) => zlib.gunzipSync(bytes),
    openCompress: () => Promise.resolve((bytes) => zlib.gzipSync(bytes)),
  },
  2: {
    name: 'snappy',
    decompress: unsnappy,
    openCompress: () => Promise.resolve(snappyCompressor()),
  },
  3: {
    name: 'lz4',
    decompress: (bytes) => lz4().decompressFrameSync(bytes),
    openCompress: () => Promise.resolve(lz4Compressor()),
  },
  4: {
    name: 'zstd',
    decompress: nativeZstd === null ? (bytes) => asBuffer(unzstd(bytes)) : nativeZstd.zstdDecompressSync,
    openCompress: zstdCompressor,
  },
};

/** Compresses the records of a batch, and says so in its attributes. */
export interface Compressor {
  readonly codec: number;
  readonly compress: Transform;
}

/** Null for `none`. What it compresses with is loaded then, and used without waiting. */
export async function openCompressor(compression: Compression = 'none'): Promise<Compressor | null> {
  for (const [codec, { name, openCompress }] of Object.entries(CODECS))
    if (name === compression) return { codec: Number(codec), compress: await openCompress() };
  return null;
}

/** What Java's clients write: this, two versions of four bytes, then blocks, each behind its size of four bytes. */
const XERIAL_MAGIC = Buffer.from('\x82SNAPPY\0', 'latin1');
const XERIAL_HEAD_BYTES = 16;
const XERIAL_VERSION = 1;
/** Readers make room for a block before they read it; Java's writer cuts blocks of this size. */
const XERIAL_BLOCK_BYTES = 32 * 1024;

/** Java's clients write snappy in blocks of their own framing, librdkafka in one block. */
function unsnappy(bytes: Buffer): Buffer {
  const { uncompressSync } = snappy();
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

/** In Java's framing, which clients of every make read. */
function snappyCompressor(): Transform {
  const { compressSync } = snappy();
  const head = Buffer.alloc(XERIAL_HEAD_BYTES);
  XERIAL_MAGIC.copy(head);
  head.writeInt32BE(XERIAL_VERSION, XERIAL_MAGIC.length);
  head.writeInt32BE(XERIAL_VERSION, XERIAL_MAGIC.length + 4);
  return (bytes) => {
    const parts: Buffer[] = [head];
    for (let at = 0; at < bytes.length; at += XERIAL_BLOCK_BYTES) {
      const block = compressSync(bytes.subarray(at, at + XERIAL_BLOCK_BYTES));
      const size = Buffer.allocUnsafe(4);
      size.writeInt32BE(block.length);
      parts.push(size, block);
    }
    return Buffer.concat(parts);
  };
}

/** A frame of independent blocks: Java's clients decompress each block by itself. */
function lz4Compressor(): Transform {
  const { compressFrameSync } = lz4();
  return (bytes) => compressFrameSync(bytes);
}

async function zstdCompressor(): Promise<Transform> {
  if (nativeZstd !== null) return nativeZstd.zstdCompressSync;
  const { Zstd } = await import('@hpcc-js/wasm-zstd');
  const zstd = await Zstd.load();
  return (bytes) => asBuffer(zstd.compress(bytes));
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
