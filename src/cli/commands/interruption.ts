import { EXIT_FAILED } from './exit-codes.ts';

/** Aborted by Ctrl-C or a termination signal; a second one ends the process at once. */
export function interruption(signals: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM']): AbortSignal {
  const controller = new AbortController();
  const stop = (): void => {
    if (controller.signal.aborted) process.exit(EXIT_FAILED);
    controller.abort();
  };
  for (const signal of signals) process.on(signal, stop);
  return controller.signal;
}
