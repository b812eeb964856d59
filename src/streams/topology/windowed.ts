/** Bounds of a window in milliseconds. `end` is excluded for time windows, included for sliding windows and sessions. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** The key of a windowed table. */
export interface Windowed<K> {
  readonly key: K;
  readonly window: Window;
}
