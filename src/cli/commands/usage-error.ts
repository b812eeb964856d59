/** The command line is wrong; `message` says what it should be. */
export class UsageError extends Error {}
