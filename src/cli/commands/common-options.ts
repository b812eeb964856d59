import type { OutputFormat } from '../render/output-format.ts';

/** What most commands take. */
export interface CommonOptions {
  readonly kafka?: string;
  readonly dataDir?: string;
  readonly set: readonly string[];
  readonly output: OutputFormat;
  readonly logLevel: string;
  readonly serviceId: string;
  readonly functions?: string;
}

/** Of commands that can talk to a server, or show the demo stream. */
export interface InteractiveOptions extends CommonOptions {
  readonly server?: string;
  readonly demo?: boolean;
}
