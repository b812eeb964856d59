import type { Writable } from 'node:stream';
import { written } from '../../common/written.ts';

/** Where the command line writes. Waits when the reader is slow; a reader that went away ends it quietly. */
export class Output {
  readonly #stream: Writable;
  #copy: Writable | null = null;
  #closed = false;
  #error: Error | null = null;

  constructor(stream: Writable) {
    this.#stream = stream;
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#closed = true;
      if (error.code !== 'EPIPE') this.#error = error;
    });
  }

  /** Nobody reads any more. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Writes a copy of everything to `stream` from now on; null ends that. */
  copyTo(stream: Writable | null): void {
    this.#copy = stream;
  }

  /** Rejects when what was written before could not be kept, for instance on a full disk. */
  async write(text: string): Promise<void> {
    if (this.#error !== null) {
      const error = this.#error;
      this.#error = null;
      throw error;
    }
    if (this.#closed || text === '') return;
    this.#copy?.write(text);
    await written(this.#stream, text);
  }
}
