import { readFileSync } from 'node:fs';
import type { TestProject } from 'vitest/node';
import { startKafka, whyNoKafka } from '../../scripts/kafka.js';
import type {} from './kafka.ts';

/**
 * One broker for the whole run, and only for runs that have a test file which asks for it, so that unit runs
 * stay quick. `MILLRACE_TEST_KAFKA=host:port` names a broker that is there already; `MILLRACE_TEST_NO_KAFKA=1`
 * skips the tests that need one.
 */
export default async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env['MILLRACE_TEST_KAFKA'];
  if (given !== undefined && given !== '') {
    project.provide('kafka', { address: given });
    return undefined;
  }
  let missing: string | undefined;
  if ((process.env['MILLRACE_TEST_NO_KAFKA'] ?? '') !== '') missing = 'MILLRACE_TEST_NO_KAFKA is set';
  else if (!(await asksForKafka(project))) missing = 'no test file of this run asks for a broker';
  else missing = await whyNoKafka();
  if (missing === undefined) {
    try {
      const kafka = await startKafka();
      project.provide('kafka', { address: kafka.address });
      return () => kafka.stop();
    } catch (error) {
      // Offline without a cache, most likely: the tests say so in their names instead of ending the run.
      missing = (error as Error).message.split('\n')[0]!;
      console.error((error as Error).message);
    }
  }
  project.provide('kafka', { missing });
  return undefined;
}

async function asksForKafka(project: TestProject): Promise<boolean> {
  // Not in vitest's published types; undefined (all files) if it should ever go away.
  const filters = (project.vitest as { filenamePattern?: string[] }).filenamePattern;
  const { testFiles } = await project.globTestFiles(filters);
  return testFiles.some((file) => /harness\/kafka\.ts|inject\('kafka'\)/.test(readFileSync(file, 'utf8')));
}
