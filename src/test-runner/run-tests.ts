import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { must } from '../common/assert.ts';
import type { Clock } from '../common/clock.ts';
import { nextTurn } from '../common/clock.ts';
import { DataError } from '../common/error.ts';
import { readText } from '../common/read-text.ts';
import type { FunctionRegistry } from '../functions/function.ts';
import type { CaseResult } from './case.ts';
import { describeFailure } from './describe-failure.ts';
import { missingFormats } from './missing-formats.ts';
import { readCases } from './read-cases.ts';
import { hasDirectedTests, readDirectedTests } from './read-directives.ts';
import { readScript } from './read-script.ts';
import { runCase, type RunCaseOptions } from './run-case.ts';
import { runRestCase, type Serve } from './run-rest-case.ts';
import { runDirectedTest } from './run-directed-test.ts';
import { runScript } from './run-script.ts';

export interface TestRun {
  /** Files and directories of cases. */
  readonly paths: readonly string[];
  /** Where a JSON array of results goes, if anywhere. */
  readonly report?: string | undefined;
  /** False: plans run as they are built. Scripts run both ways when true. */
  readonly optimizer: boolean;
  readonly functions?: FunctionRegistry | undefined;
  /** Only cases whose name has this in it. */
  readonly only?: string | undefined;
  /** Opens a server for cases of the REST interface; without it they are skipped. */
  readonly serve?: Serve | undefined;
  /** The machine's: it measures how long a case takes, and is what functions read. */
  readonly clock: Clock;
  readonly write: (text: string) => void;
  /** How long a case may take. Default 10 s. */
  readonly caseTimeoutMs?: number;
}

/**
 * Runs every case below the paths, one after another. Returns whether some passed and none failed: a path without
 * tests, and a run that only skips, have shown nothing. Throws what cannot be read.
 */
export async function runTests(run: TestRun): Promise<boolean> {
  const results: CaseResult[] = [];
  for (const test of run.paths.flatMap((path) => testsBelow(path, run))) {
    if (run.only !== undefined && !test.name.includes(run.only)) continue;
    const result = await judge(test, run);
    results.push(result);
    if (result.status === 'failed') {
      const variant = result.variant === '' ? '' : ` [${result.variant}]`;
      run.write(`${result.file}: ${result.name}${variant}: ${result.reason}\n`);
    }
    await nextTurn();
  }
  if (run.report !== undefined) writeFileSync(run.report, `${JSON.stringify(results, null, 1)}\n`);
  const count = (status: CaseResult['status']): number =>
    results.filter((each) => each.status === status).length;
  for (const [reason, skipped] of reasonsToSkip(results)) run.write(`skipped: ${skipped} (${reason})\n`);
  if (results.length === 0) run.write(`no test has '${run.only ?? ''}' in its name\n`);
  else if (count('passed') + count('failed') === 0) run.write('all tests were skipped: nothing was tested\n');
  run.write(`${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped\n`);
  return count('passed') > 0 && count('failed') === 0;
}

/** How many tests were skipped for each reason. */
function reasonsToSkip(results: readonly CaseResult[]): ReadonlyMap<string, number> {
  const reasons = new Map<string, number>();
  for (const { status, reason } of results)
    if (status === 'skipped' && reason !== null) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return reasons;
}

/** One test, as it is run and counted. */
interface Test {
  readonly file: string;
  readonly name: string;
  readonly variant: string;
  readonly skip: string | null;
  /** Resolves to null when it held, else to the reason. */
  run(options: RunCaseOptions): Promise<string | null>;
}

/** Scripts of ours, and of the form that ksqlDB's runner has. A file that is named itself may end in `.sql` only. */
const SCRIPT = '.test.sql';
const SQL = '.sql';

/** A path without tests is one test that fails: it was named because there are some. */
function testsBelow(path: string, run: TestRun): readonly Test[] {
  const tests = filesOf(path).flatMap((file) => testsOf(file, run));
  if (tests.length > 0) return tests;
  return [
    failing(
      path,
      `there is no test in it: tests are ${SCRIPT} files, .sql files with --@test lines, .json files`,
    ),
  ];
}

function failing(file: string, reason: string): Test {
  return { file, name: basename(file), variant: '', skip: null, run: () => Promise.resolve(reason) };
}

/** A file that cannot be read is one test that fails. */
function testsOf(file: string, run: TestRun): readonly Test[] {
  try {
    return readTests(file, run);
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    return [failing(file, error.message)];
  }
}

function readTests(file: string, { optimizer, serve }: TestRun): readonly Test[] {
  const text = readText(file);
  if (!file.endsWith(SQL))
    return readCases(file, text).map((test) => {
      const { rest, skip } = test;
      if (rest === null) return { ...test, run: (options) => runCase(test, options) };
      return {
        ...test,
        skip: skip ?? (serve === undefined ? 'needs a server' : null),
        run: (options) => runRestCase(test, rest, must(serve), options),
      };
    });
  const script = (
    name: string,
    skip: string | null,
    run: (options: RunCaseOptions) => Promise<string | null>,
  ): readonly Test[] =>
    (optimizer ? [true, false] : [false]).map((optimized) => ({
      file,
      name,
      variant: optimized ? '' : 'optimizer off',
      skip,
      run: (options) => run({ ...options, optimizer: optimized }),
    }));
  const directed = readDirectedTests(text);
  if (directed !== null)
    return directed.flatMap((test) =>
      script(test.name, missingFormats([test.sql]), (options) => runDirectedTest(test, file, options)),
    );
  const steps = readScript(text);
  const name = basename(file, file.endsWith(SCRIPT) ? SCRIPT : SQL);
  return script(name, null, (options) => runScript(steps, file, options));
}

async function judge(test: Test, run: TestRun): Promise<CaseResult> {
  const { file, name, variant, skip } = test;
  if (skip !== null) return { file, name, variant, status: 'skipped', reason: skip };
  const reason = await limited(test, run);
  return { file, name, variant, status: reason === null ? 'passed' : 'failed', reason };
}

async function limited(test: Test, run: TestRun): Promise<string | null> {
  const controller = new AbortController();
  const limitMs = run.caseTimeoutMs ?? 10_000;
  let cancel = (): void => undefined;
  const late = new Promise<string>((resolve) => {
    cancel = run.clock.setTimer(limitMs, () => {
      controller.abort();
      resolve(`took more than ${limitMs} ms`);
    });
  });
  const options: RunCaseOptions = {
    optimizer: run.optimizer,
    clock: run.clock,
    signal: controller.signal,
    ...(run.functions === undefined ? {} : { functions: run.functions }),
  };
  const done = test.run(options).catch((error: unknown) => describeFailure(error));
  try {
    return await Promise.race([done, late]);
  } finally {
    cancel();
  }
}

/** The case files below a path, sorted; a file stands for itself. Of other SQL files, scripts say, there may be many. */
function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const inner = join(path, name);
      if (statSync(inner).isDirectory()) return filesOf(inner);
      const isTest =
        name.endsWith('.json') ||
        name.endsWith(SCRIPT) ||
        (name.endsWith(SQL) && hasDirectedTests(readText(inner)));
      return isTest ? [inner] : [];
    });
}
