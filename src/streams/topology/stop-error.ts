/** Something at which the application was told to stop: no handler is asked about it. */
export class StopError extends Error {
  override readonly name: string = 'StopError';
}
