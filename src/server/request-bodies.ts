import type { Readable } from 'node:stream';
import { ByteWriter } from '../common/bytes.ts';
import { RequestError } from './request-error.ts';

/** Most bodies are smaller. */
const CAPACITY_MIN = 1024;

interface Receiving {
  sizeBytes: number;
  /** Rejects, and forgets what has come. */
  readonly refuse: (error: RequestError) => void;
}

/** Keeps the bodies of requests while they are needed; each, and all together, are bounded. */
export class RequestBodies {
  readonly #bodyBytesMax: number;
  readonly #totalBytesMax: number;
  readonly #receiving = new Set<Receiving>();
  /** Bytes of all bodies, those that are still coming and those that a request works with. */
  #totalBytes = 0;

  constructor(bodyBytesMax: number, totalBytesMax: number) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#totalBytesMax = totalBytesMax;
  }

  /** Bytes that are kept now. */
  get totalBytes(): number {
    return this.#totalBytes;
  }

  /**
   * The whole body of a request; `onDone` is called with what is to be called when the request is through with it.
   * Rejects with `RequestError` 41300 when it is too large, and 50300 when there is no room for it: then the largest
   * that is still coming is given up, so that senders of large ones do not keep out those of small ones. The stream is
   * not destroyed, since the answer still has to go out over its socket; what comes further is dropped. Rejects with
   * the stream's error when the client goes away.
   */
  read(request: Readable, release: (free: () => void) => void): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let writer: ByteWriter | null = null;
      let refused = false;
      const body: Receiving = {
        sizeBytes: 0,
        refuse: (error) => {
          refused = true;
          free();
          reject(error);
        },
      };
      const free = (): void => {
        this.#receiving.delete(body);
        this.#totalBytes -= body.sizeBytes;
        body.sizeBytes = 0;
        writer = null;
      };
      this.#receiving.add(body);
      release(free);
      request.on('data', (chunk: Buffer) => {
        if (refused) return;
        if (body.sizeBytes + chunk.length > this.#bodyBytesMax)
          return body.refuse(
            new RequestError(41300, `the request body is larger than ${this.#bodyBytesMax} bytes`),
          );
        this.#totalBytes += chunk.length;
        body.sizeBytes += chunk.length;
        if (this.#totalBytes > this.#totalBytesMax) this.#giveUpLargest();
        if (refused) return;
        // Copied together, because a chunk is an object, and a peer may send them with a byte each.
        writer ??= new ByteWriter(Math.max(CAPACITY_MIN, chunk.length));
        writer.writeBytes(chunk);
      });
      request.on('end', () => {
        this.#receiving.delete(body);
        resolve(writer === null ? Buffer.alloc(0) : writer.buffer.subarray(0, writer.length));
      });
      request.on('error', reject);
      request.on('close', () => {
        // A complete one needs no error: making one costs more than the rest of this.
        if (request.readableEnded || refused) return;
        free();
        reject(new RequestError(40000, 'the request ended early'));
      });
    });
  }

  #giveUpLargest(): void {
    let largest: Receiving | null = null;
    for (const each of this.#receiving)
      if (largest === null || each.sizeBytes > largest.sizeBytes) largest = each;
    largest?.refuse(
      new RequestError(50300, 'the bodies of all requests together are too large now; try again'),
    );
  }
}
