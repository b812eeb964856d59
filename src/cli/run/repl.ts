import { appendFileSync, createWriteStream, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { finished, type Readable, type Writable } from 'node:stream';
import { onAbort } from '../../common/abort.ts';
import { readText } from '../../common/read-text.ts';
import type { Session } from '../../engine/session.ts';
import { isContinued, splitStatements } from '../../sql/parser/split-statements.ts';
import type { Backend } from '../backend/backend.ts';
import { completionsOf } from './completion.ts';
import { Output } from '../render/output.ts';
import { OUTPUT_FORMATS, type OutputFormat, rendererOf } from '../render/output-format.ts';
import { describeError, runStatement } from './run-statements.ts';
import { scriptStatements } from '../../engine/statements/script-statements.ts';
import { terminalWidthOf } from '../render/text-columns.ts';
import { utf8Text } from './utf8-text.ts';

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
  /** Aborted when the process should end: the running statement is ended, and nothing more is read. */
  readonly signal: AbortSignal;
}

const PROMPT = 'millrace> ';
const CONTINUED = '       -> ';
const HISTORY_MAX = 1000;

const HELP = `Statements end with a semicolon and may span lines (\\ at the end of one joins the next to it). Ctrl-C ends a running query, Ctrl-D leaves.
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
  /** Lines that ended with a backslash, without it: they go on with the next line. */
  #begun = '';
  #running: AbortController | null = null;
  /** Lines that came, that were taken, and that Ctrl-C put aside before they were. */
  #typed = 0;
  #taken = 0;
  #forgotten = 0;
  #failed = false;
  #exit = false;
  #spool: Writable | null = null;
  #history: string[] = [];
  #names: readonly string[] = [];

  constructor(options: ReplOptions) {
    this.#options = options;
    this.#format = options.format;
    this.#output = new Output(options.output);
    this.#errors = new Output(options.errors);
  }

  async run(): Promise<number> {
    const { interactive, input, output, banner, signal } = this.#options;
    if (interactive) {
      await this.#output.write(banner);
      this.#loadHistory();
    }
    const source = interactive ? input : utf8Text(input);
    const lines = createInterface({
      input: source,
      ...(interactive ? { output, terminal: true } : { terminal: false }),
      prompt: PROMPT,
      history: [...this.#history].reverse(),
      historySize: HISTORY_MAX,
      completer: (line: string) => completionsOf(line, this.#names),
    });
    lines.on('line', () => this.#typed++);
    // Listens at once: what was typed before the first prompt is not lost.
    const typed = lines[Symbol.asyncIterator]();
    let broken: Error | null = null;
    // Comes after the lines that were read before.
    const next = (): Promise<IteratorResult<string>> =>
      typed.next().catch((error: unknown) => {
        broken = error as Error;
        return { done: true, value: undefined };
      });
    const interrupt = (): void => this.#interrupt(lines);
    const stop = (): void => {
      this.#exit = true;
      this.#running?.abort();
      lines.close();
    };
    const unsubscribe = onAbort(signal, stop);
    if (interactive) {
      lines.on('SIGINT', interrupt);
      process.on('SIGINT', interrupt);
      // Ctrl-D leaves, also while a query prints.
      lines.on('close', stop);
    }
    await this.#refreshNames();
    try {
      this.#prompt(lines);
      for (let line = await next(); line.done !== true && !this.#exit; line = await next()) {
        if (this.#taken++ < this.#forgotten) continue;
        await this.#line(line.value);
        if (this.#isOver()) break;
        this.#prompt(lines);
      }
      if (broken !== null) await this.#unreadable(broken);
      else {
        const rest = this.#buffer + this.#begun;
        if (rest.trim() !== '' && !this.#exit) await this.#statements(`${rest};`);
      }
      if (interactive) await this.#output.write('\n');
    } finally {
      unsubscribe();
      process.off('SIGINT', interrupt);
      lines.close();
      await this.#setSpool('off');
    }
    return !interactive && this.#failed ? 1 : 0;
  }

  /** Statements before the fault have run; one that was begun may not be complete and does not run. */
  async #unreadable(error: Error): Promise<void> {
    this.#failed = true;
    await this.#errors.write(`cannot read standard input: ${error.message}\n`);
  }

  #isOver(): boolean {
    return this.#exit || this.#output.closed;
  }

  async #line(line: string): Promise<void> {
    this.#spool?.write(`${this.#promptText()}${line}\n`);
    const whole = this.#begun + line;
    if (isContinued(this.#buffer + whole)) {
      this.#begun = whole.slice(0, -1);
      return;
    }
    this.#begun = '';
    if (this.#buffer === '' && (await this.#command(whole.trim()))) return;
    const { complete, rest } = splitStatements(`${this.#buffer}${whole}\n`);
    this.#buffer = rest;
    for (const statement of complete) {
      this.#remember(statement.text);
      if ((await this.#statements(statement.text)) === 'interrupted') break;
    }
  }

  /** Stops at the first statement that fails or is interrupted. */
  async #statements(text: string, file: string | null = null): Promise<'done' | 'failed' | 'interrupted'> {
    const { backend, session } = this.#options;
    const running = new AbortController();
    this.#running = running;
    try {
      for (const statement of scriptStatements(text, file, new Map(session.variables))) {
        const ok = await runStatement(statement, {
          backend,
          session,
          renderer: rendererOf(this.#format, terminalWidthOf(this.#options.output)),
          output: this.#output,
          errors: this.#errors,
          acknowledge: true,
          settle: 'own',
          signal: running.signal,
        });
        if (!ok) this.#failed = true;
        if (running.signal.aborted) return 'interrupted';
        if (!ok) return 'failed';
      }
      return 'done';
    } catch (error) {
      this.#failed = true;
      await this.#errors.write(`${describeError(error, text)}\n`);
      return 'failed';
    } finally {
      this.#running = null;
      await this.#refreshNames();
    }
  }

  /** Words of the prompt itself. Returns whether `line` was one. */
  async #command(line: string): Promise<boolean> {
    const text = line.replace(/;$/, '').trim();
    const lower = text.toLowerCase();
    if (text === '') return line === '' || line === ';';
    if (lower === 'exit' || lower === 'quit') this.#exit = true;
    else if (lower === 'help') await this.#output.write(HELP);
    else if (lower === 'version') await this.#output.write(`${this.#options.version}\n`);
    else if (lower === 'history')
      await this.#output.write(this.#history.map((each, i) => `${i + 1}  ${each}\n`).join(''));
    else if (lower === 'output') await this.#output.write(`${this.#format}\n`);
    else if (/^output\s+\S+$/.test(lower)) await this.#setFormat(lower.split(/\s+/)[1]!);
    else if (/^run\s+script\s+'[^']+'$/i.test(text)) await this.#runScript(/'([^']+)'/.exec(text)![1]!);
    else if (/^spool\s+/.test(lower)) await this.#setSpool(text.replace(/^spool\s+/i, ''));
    else return false;
    return true;
  }

  async #setFormat(name: string): Promise<void> {
    const format = OUTPUT_FORMATS.find((each) => each === (name === 'tabular' ? 'table' : name));
    if (format !== undefined) this.#format = format;
    else {
      this.#failed = true;
      await this.#errors.write(`output is one of ${OUTPUT_FORMATS.join(', ')}\n`);
    }
  }

  async #runScript(file: string): Promise<void> {
    let text: string;
    try {
      text = readText(file);
    } catch (error) {
      this.#failed = true;
      await this.#errors.write(`cannot read ${file}: ${(error as Error).message}\n`);
      return;
    }
    await this.#statements(text, file);
  }

  /** Resolves when the file that was written to so far is complete. */
  async #setSpool(argument: string): Promise<void> {
    const before = this.#spool;
    this.#copyTo(null);
    if (before !== null) await new Promise<void>((resolve) => finished(before.end(), () => resolve()));
    if (/^off$/i.test(argument)) return;
    const file = argument.replace(/^'(.*)'$/, '$1');
    const spool = createWriteStream(file, { flags: 'a' });
    spool.on('error', (error) => {
      if (this.#spool === spool) this.#copyTo(null);
      void this.#errors.write(`cannot spool to ${file}: ${error.message}\n`);
    });
    this.#copyTo(spool);
  }

  #copyTo(spool: Writable | null): void {
    this.#spool = spool;
    this.#output.copyTo(spool);
    this.#errors.copyTo(spool);
  }

  #interrupt(lines: Interface): void {
    this.#forgotten = this.#typed;
    if (this.#running !== null) {
      this.#running.abort();
      return;
    }
    this.#buffer = '';
    this.#begun = '';
    this.#options.output.write('\n');
    this.#prompt(lines);
  }

  #prompt(lines: Interface): void {
    if (!this.#options.interactive || this.#exit) return;
    lines.setPrompt(this.#promptText());
    lines.prompt();
  }

  #promptText(): string {
    return this.#buffer === '' && this.#begun === '' ? PROMPT : CONTINUED;
  }

  async #refreshNames(): Promise<void> {
    if (!this.#options.interactive) return;
    this.#names = await this.#options.backend.names().catch(() => []);
  }

  #loadHistory(): void {
    const file = historyFile();
    if (existsSync(file))
      this.#history = readFileSync(file, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .slice(-HISTORY_MAX);
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
}

function historyFile(): string {
  return join(homedir(), '.millrace-history');
}
