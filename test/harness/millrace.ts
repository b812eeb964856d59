import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** MILLRACE_MAIN runs another build. */
export const MAIN =
  process.env['MILLRACE_MAIN'] ?? fileURLToPath(new URL('../../dist/main.js', import.meta.url));

/** Runs a command in a pseudo-terminal whose other end is standard input and output; needs python3. */
const TERMINAL = `
import os, pty, select, sys
pid, terminal = pty.fork()
if pid == 0: os.execvp(sys.argv[1], sys.argv[1:])
inputs = [terminal, 0]
while True:
    ready, _, _ = select.select(inputs, [], [])
    if 0 in ready:
        data = os.read(0, 65536)
        if data: os.write(terminal, data)
        else: inputs.remove(0)
    if terminal in ready:
        try: data = os.read(terminal, 65536)
        except OSError: data = b''
        if not data: break
        os.write(1, data)
_, status = os.waitpid(pid, 0)
sys.exit(os.waitstatus_to_exitcode(status))
`;

/** Why there are no pseudo-terminals here, or null. */
export function terminalMissing(): string | null {
  return spawnSync('python3', ['-c', 'import pty']).status === 0
    ? null
    : 'python3 is not here to open a pseudo-terminal';
}

export interface Finished {
  /** Null when a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The built command line as a process of its own. */
export class Millrace {
  readonly process: ChildProcess;
  stdout = '';
  stderr = '';
  readonly finished: Promise<Finished>;
  #listeners: (() => void)[] = [];

  constructor(
    args: readonly string[],
    options: {
      cwd?: string;
      env?: Record<string, string>;
      terminal?: boolean;
      /** A command that runs the rest of its line as a command. */
      through?: readonly string[];
    } = {},
  ) {
    if (!existsSync(MAIN))
      throw new Error('dist/main.js is missing: npm test builds it, or run npm run build');
    const command = [...(options.through ?? []), process.execPath, MAIN, ...args];
    if (options.terminal === true) command.unshift('python3', '-c', TERMINAL);
    this.process = spawn(command[0]!, command.slice(1), {
      stdio: ['pipe', 'pipe', 'pipe'],
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
    });
    this.process.stdout!.on('data', (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#changed();
    });
    this.process.stderr!.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#changed();
    });
    this.finished = new Promise((resolve) => {
      this.process.on('close', (code) => {
        this.#changed();
        resolve({ code, stdout: this.stdout, stderr: this.stderr });
      });
    });
  }

  /** Resolves when `condition` holds, rejects when the process ends before. Checked whenever output comes. */
  async until(condition: () => boolean, what: string): Promise<void> {
    while (!condition()) {
      if (this.process.exitCode !== null || this.process.signalCode !== null)
        throw new Error(`the process ended before ${what}\n${this.stdout}\n${this.stderr}`);
      await new Promise<void>((resolve) => {
        this.#listeners.push(resolve);
      });
    }
  }

  write(text: string): void {
    this.process.stdin!.write(text);
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<Finished> {
    this.process.kill(signal);
    return this.finished;
  }

  #changed(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}

/** Runs the command line to its end, with `input` on its standard input. */
export async function millrace(args: readonly string[], input = ''): Promise<Finished> {
  const running = new Millrace(args);
  running.process.stdin!.end(input);
  return running.finished;
}
