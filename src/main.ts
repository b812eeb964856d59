#!/usr/bin/env node
import { EXIT_FAILED } from './cli/commands/exit-codes.ts';
import { runCommandLine } from './cli/commands/program.ts';
import { keepAlive, nextTurn } from './common/clock.ts';

keepAlive();
let lost: Error | null = null;
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  // A reader that went away has what it wanted.
  if (error.code !== 'EPIPE') lost = error;
});
process.exitCode = await runCommandLine(process.argv);
// A write that failed is told in a later turn.
await nextTurn();
// Nothing should be left to keep the process, and a foreign handle must not hang a script.
process.stdout.write('', () => {
  if (lost !== null) {
    process.stderr.write(`error: the output could not be written: ${lost.message}\n`);
    process.exitCode = EXIT_FAILED;
  }
  process.exit();
});
