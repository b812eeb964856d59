/**
 * Answers the cases of the Kafka Streams oracle: cases on standard input, outputs on standard output, a line each.
 * `../shared/oracle/judge SEED COUNT -- npm run --silent oracle` compares them with what Kafka Streams does.
 * With `--state-on-disk` (`npm run --silent oracle -- --state-on-disk`) state leaves memory after each record.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const args = [`${here}run-ts.js`, `${here}../test/harness/oracle-answers.ts`, ...process.argv.slice(2)];
process.exitCode = spawnSync(process.execPath, args, { stdio: 'inherit' }).status ?? 1;
