import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Where the command line writes. Waits when the reader is slow; a reader that went away ends it quietly. */
export class Output {
  readonly #stream: Writable;
  #closed = false;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== 'EPIPE') throw error;
    });
  }

  /** Nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  async write(text: string): Promise<void> {
    if (this.#closed || text === '') return;
    if (!this.#stream.write(text) && !this.#closed) await Promise.race([once(this.#stream, 'drain'), once(this.#stream, 'close')]);
  }
}
