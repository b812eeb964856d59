import type { Readable } from 'node:stream';
import { RequestError } from './request-error.ts';

export const BODY_BYTES_MAX = 16 * 1024 * 1024;

/**
 * The whole body. Rejects with `RequestError` 41300 when it is too large, without destroying the stream: the answer
 * still has to go out over its socket. Rejects with the stream's error when the client goes away.
 */
export function readBody(request: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let sizeBytes = 0;
    request.on('data', (chunk: Buffer) => {
      sizeBytes += chunk.length;
      if (sizeBytes <= BODY_BYTES_MAX) {
        chunks.push(chunk);
        return;
      }
      chunks.length = 0;
      reject(new RequestError(41300, `the request body is larger than ${BODY_BYTES_MAX} bytes`));
    });
    request.on('end', () => resolve(Buffer.concat(chunks)));
    request.on('error', reject);
    request.on('close', () => reject(new RequestError(40000, 'the request ended early')));
  });
}
