import { appendFileSync, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import type { Session } from '../engine/session.ts';
import { parseStatements } from '../sql/parser/parse.ts';
import { splitStatements } from '../sql/parser/split-statements.ts';
import type { Backend } from './backend.ts';
import { completionsOf } from './completion.ts';
import { Output } from './output.ts';
import { OUTPUT_FORMATS, type OutputFormat, rendererOf } from './renderer.ts';
import { describeError, runStatement } from './run-statements.ts';

export interface ReplOptions {
  readonly backend: Backend;
  readonly session: Session;
  readonly input: Readable;
  readonly output: Writable;
  readonly errors: Writable;
  /** Prompt, editing, history and colours; false when input is a pipe. */
  readonly interactive: boolean;
  readonly banner: string;
  readonly version: string;
  readonly format: OutputFormat;
}

const PROMPT = 'millrace> ';
const CONTINUED = '       -> ';
const HISTORY_MAX = 1000;

const HELP = `Statements end with a semicolon and may span lines. Ctrl-C ends a running query, Ctrl-D leaves.
  SHOW STREAMS; SHOW TABLES; SHOW TOPICS; SHOW QUERIES; DESCRIBE name; EXPLAIN statement;
  SELECT … FROM stream EMIT CHANGES;      rows as they come
  SELECT … FROM table WHERE key = …;      the table as it is now
Commands (no semicolon needed):
  output [table|json|csv]   how results are shown
  run script 'FILE'         runs the statements of a file
  spool 'FILE' | spool off  writes a copy of everything shown to a file
  history                   what was entered before
  version, help, exit
`;

/**
 * The prompt. Lines gather until a statement is complete; statements run one after another, and while one prints
 * rows Ctrl-C ends it and not the prompt. Resolves to the exit code: on a pipe, 1 when any statement failed.
 */
export async function repl(options: ReplOptions): Promise<number> {
  const session = new ReplSession(options);
  return session.run();
}

class ReplSession {
  readonly #options: ReplOptions;
  readonly #output: Output;
  readonly #errors: Output;
  #format: OutputFormat;
  #buffer = '';
  #running: AbortController | null = null;
  #failed = false;
  #exit = false;
  #spool: Writable | null = null;
  #history: string[] = [];
  #names: readonly string[] = [];

  constructor(options: ReplOptions) {
    this.#options = options;
    this.#format = options.format;
    this.#output = new Output(this.#tee(options.output));
    this.#errors = new Output(this.#tee(options.errors));
  }

  async run(): Promise<number> {
    const { interactive, input, output, banner } = this.#options;
    if (interactive) {
      await this.#output.write(banner);
      this.#loadHistory();
    }
    const lines = createInterface({
      input,
      ...(interactive ? { output, terminal: true } : { terminal: false }),
      prompt: PROMPT,
      history: [...this.#history].reverse(),
      historySize: HISTORY_MAX,
      completer: (line: string) => completionsOf(line, this.#names),
    });
    lines.on('SIGINT', () => this.#interrupt(lines));
    const stop = (): void => this.#interrupt(lines);
    if (!interactive) process.on('SIGINT', stop);
    await this.#refreshNames();
    try {
      this.#prompt(lines);
      for await (const line of lines) {
        await this.#line(line);
        if (this.#exit || this.#output.closed) break;
        this.#prompt(lines);
      }
      if (this.#buffer.trim() !== '' && !this.#exit) await this.#statements(`${this.#buffer};`);
    } finally {
      lines.close();
      process.off('SIGINT', stop);
      this.#spool?.end();
    }
    return !interactive && this.#failed ? 1 : 0;
  }

  async #line(line: string): Promise<void> {
    if (this.#buffer === '' && (await this.#command(line.trim()))) return;
    this.#buffer += `${line}\n`;
    const { complete, rest } = splitStatements(this.#buffer);
    this.#buffer = rest === '' ? '' : rest;
    for (const statement of complete) {
      this.#remember(statement.text);
      await this.#statements(statement.text);
    }
  }

  async #statements(text: string): Promise<void> {
    const { backend, session } = this.#options;
    try {
      for (const statement of parseStatements(text, session.variables)) {
        this.#running = new AbortController();
        const ok = await runStatement(statement, {
          backend,
          session,
          renderer: rendererOf(this.#format),
          output: this.#output,
          errors: this.#errors,
          acknowledge: true,
          settle: false,
          signal: this.#running.signal,
        });
        if (!ok) this.#failed = true;
      }
    } catch (error) {
      this.#failed = true;
      await this.#errors.write(`${describeError(error, text)}\n`);
    } finally {
      this.#running = null;
    }
    await this.#refreshNames();
  }

  /** Words of the prompt itself. Returns whether `line` was one. */
  async #command(line: string): Promise<boolean> {
    const text = line.replace(/;$/, '').trim();
    const lower = text.toLowerCase();
    if (text === '') return line === '' || line === ';';
    if (lower === 'exit' || lower === 'quit') this.#exit = true;
    else if (lower === 'help') await this.#output.write(HELP);
    else if (lower === 'version') await this.#output.write(`${this.#options.version}\n`);
    else if (lower === 'history') await this.#output.write(this.#history.map((each, i) => `${i + 1}  ${each}\n`).join(''));
    else if (lower === 'output') await this.#output.write(`${this.#format}\n`);
    else if (/^output\s+\S+$/.test(lower)) await this.#setFormat(lower.split(/\s+/)[1]!);
    else if (/^run\s+script\s+'[^']+'$/i.test(text)) await this.#runScript(/'([^']+)'/.exec(text)![1]!);
    else if (/^spool\s+/.test(lower)) await this.#setSpool(text.replace(/^spool\s+/i, ''));
    else return false;
    return true;
  }

  async #setFormat(name: string): Promise<void> {
    const format = OUTPUT_FORMATS.find((each) => each === (name === 'tabular' ? 'table' : name));
    if (format === undefined) await this.#errors.write(`output is one of ${OUTPUT_FORMATS.join(', ')}\n`);
    else this.#format = format;
  }

  async #runScript(file: string): Promise<void> {
    try {
      await this.#statements(readFileSync(file, 'utf8'));
    } catch (error) {
      await this.#errors.write(`cannot read ${file}: ${(error as Error).message}\n`);
    }
  }

  async #setSpool(argument: string): Promise<void> {
    this.#spool?.end();
    this.#spool = null;
    if (/^off$/i.test(argument)) return;
    const file = argument.replace(/^'(.*)'$/, '$1');
    this.#spool = createWriteStream(file, { flags: 'a' });
    this.#spool.on('error', (error) => {
      this.#spool = null;
      void this.#errors.write(`cannot spool to ${file}: ${error.message}\n`);
    });
  }

  #interrupt(lines: Interface): void {
    if (this.#running !== null) {
      this.#running.abort();
      return;
    }
    this.#buffer = '';
    this.#options.output.write('\n');
    this.#prompt(lines);
  }

  #prompt(lines: Interface): void {
    if (!this.#options.interactive || this.#exit) return;
    lines.setPrompt(this.#buffer === '' ? PROMPT : CONTINUED);
    lines.prompt();
  }

  async #refreshNames(): Promise<void> {
    if (!this.#options.interactive) return;
    this.#names = await this.#options.backend.names().catch(() => []);
  }

  #loadHistory(): void {
    const file = historyFile();
    if (existsSync(file))
      this.#history = readFileSync(file, 'utf8').split('\n').filter((line) => line !== '').slice(-HISTORY_MAX);
  }

  #remember(statement: string): void {
    const line = statement.replaceAll(/\s+/g, ' ').trim();
    this.#history.push(line);
    if (!this.#options.interactive) return;
    try {
      appendFileSync(historyFile(), `${line}\n`, { mode: 0o600 });
    } catch {
      // A home directory that cannot be written to costs the history, nothing else.
    }
  }

  /** A stream that also writes to the spool file while there is one. */
  #tee(stream: Writable): Writable {
    const tee = new PassThrough();
    tee.on('data', (chunk: Buffer) => {
      this.#spool?.write(chunk);
      if (!stream.write(chunk)) {
        tee.pause();
        stream.once('drain', () => tee.resume());
      }
    });
    stream.on('error', (error) => tee.destroy(error));
    return tee;
  }
}

function historyFile(): string {
  return join(homedir(), '.millrace-history');
}
