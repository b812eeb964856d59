/**
 * The only place that listens to abort signals (test/tidy.test.ts). A signal often lives as long as the process while
 * those that wait on it come and go: each subscription here has its end, and any number may wait at once.
 */

const subscribed = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `action` when `signal` aborts: at once, when it already has. Returns what unsubscribes. */
export function onAbort(signal: AbortSignal, action: () => void): () => void {
  if (signal.aborted) {
    action();
    return () => undefined;
  }
  const actions = subscribed.get(signal) ?? listenTo(signal);
  const own = (): void => action();
  actions.add(own);
  return () => void actions.delete(own);
}

/** Resolves or rejects as `work` does, or resolves when `signal` aborts before that. */
export async function untilAborted(signal: AbortSignal, work: Promise<unknown>): Promise<void> {
  let unsubscribe = (): void => undefined;
  const abort = new Promise<void>((resolve) => {
    unsubscribe = onAbort(signal, resolve);
  });
  try {
    await Promise.race([work, abort]);
  } finally {
    unsubscribe();
  }
}

/** Resolves when `signal` aborts. For waits that nothing else ends: a subscription stays until then. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => void onAbort(signal, resolve));
}

/** How many subscriptions to `signal` have not ended. */
export function subscriptionsOf(signal: AbortSignal): number {
  return subscribed.get(signal)?.size ?? 0;
}

/** One listener a signal: Node warns of a leak at the eleventh, and eleven readers may well wait on one connection. */
function listenTo(signal: AbortSignal): Set<() => void> {
  const actions = new Set<() => void>();
  subscribed.set(signal, actions);
  signal.addEventListener(
    'abort',
    () => {
      const called = [...actions];
      actions.clear();
      for (const action of called) action();
    },
    { once: true },
  );
  return actions;
}
