import type { Writable } from 'node:stream';

/**
 * Writes `text` and resolves when the stream wants more: at once, after it has drained, or when it is closed
 * (nothing more can be written then). Leaves no listener behind, so a stream may be written to for ever.
 */
export function written(stream: Writable, text: string): Promise<void> {
  if (stream.destroyed || stream.write(text)) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done);
      stream.off('close', done);
      stream.off('error', done);
      resolve();
    };
    stream.on('drain', done);
    stream.on('close', done);
    stream.on('error', done);
  });
}
