import { Readable } from 'node:stream';

/** The text of a stream of UTF-8. It ends with an error where a byte is none, after the lines before it. */
export function utf8Text(bytes: Readable): Readable {
  return Readable.from(decoded(bytes), { objectMode: true });
}

async function* decoded(bytes: Readable): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for await (const chunk of bytes as AsyncIterable<Buffer | string>)
    // By lines, so that those before the byte are still taken.
    for (const part of linesOf(Buffer.from(chunk))) {
      const text = decode(() => decoder.decode(part, { stream: true }), line);
      if (part.at(-1) === 0x0a) line++;
      if (text !== '') yield text;
    }
  const rest = decode(() => decoder.decode(), line);
  if (rest !== '') yield rest;
}

function decode(read: () => string, line: number): string {
  try {
    return read();
  } catch {
    throw new Error(`a byte in line ${line} is not UTF-8`);
  }
}

function* linesOf(bytes: Buffer): Generator<Buffer> {
  let start = 0;
  for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
    yield bytes.subarray(start, end + 1);
    start = end + 1;
  }
  if (start < bytes.length) yield bytes.subarray(start);
}
