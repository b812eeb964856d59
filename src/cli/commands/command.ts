import type { Option } from 'commander';

/** A command of the command line, which says everything about itself: help and the README's table are made of it. */
export interface CliCommand {
  /** Its name and what is written behind it, as Commander reads it: `run <file...>`. */
  readonly usage: string;
  readonly description: string;
  /** The page of docs/ that says more. */
  readonly page?: string;
  readonly options: readonly Option[];
  /** `given`: the arguments behind the name. Returns the exit code. */
  run(given: readonly string[], options: object): Promise<number>;
}
