/** A mistake in how a topology was put together: by the program's author, found before any record flows. */
export class TopologyError extends Error {
  override readonly name = 'TopologyError';
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.hint = hint;
  }
}
