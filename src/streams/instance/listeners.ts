import type { Logger } from '../../common/logger.ts';
import type { RestoreListener } from './restore.ts';

/** Calls what users hand in to be told: nothing depends on what comes of it. */
export class Listeners {
  readonly #logger: Logger;
  readonly #applicationId: string;

  constructor(logger: Logger, applicationId: string) {
    this.#logger = logger;
    this.#applicationId = applicationId;
  }

  /** What it throws, or rejects with, is logged under `name`, and stops nothing. */
  tell(name: string, call: () => unknown): void {
    try {
      const result = call();
      if (result instanceof Promise) result.catch((error: unknown) => this.#failed(name, error));
    } catch (error) {
      this.#failed(name, error);
    }
  }

  /** As `tell`, for each call of a restore listener. */
  restore(listener: RestoreListener | undefined): RestoreListener {
    if (listener === undefined) return {};
    return {
      started: (range) => this.tell('onRestore', () => listener.started?.(range)),
      progressed: (range, position, records) =>
        this.tell('onRestore', () => listener.progressed?.(range, position, records)),
      ended: (range, records) => this.tell('onRestore', () => listener.ended?.(range, records)),
    };
  }

  #failed(name: string, error: unknown): void {
    this.#logger.error(
      { applicationId: this.#applicationId, error: error instanceof Error ? error.message : String(error) },
      `${name} has failed; the application goes on`,
    );
  }
}
