/** Says on standard error that statements wait for queries that open their state. */
export function noteOpening(progress: string): void {
  process.stderr.write(`waiting: ${progress}; statements begin when the queries run\n`);
}

/** Says on standard error that a script waits, and for whom; null: nobody knows yet. */
export function noteWaiting(owner: string | null): void {
  const where = owner === null ? 'another process, which one is being settled' : `another process, ${owner}`;
  process.stderr.write(
    `waiting: the queries of this service run in ${where}; the script begins here when that one ends\n`,
  );
}
