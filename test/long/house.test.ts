import { execFileSync, type ExecFileSyncOptions } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

/** What CONTRIBUTING.md says of additions is true: one of each kind is applied to a copy, built and tested. */

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

interface Addition {
  readonly kind: string;
  /** Patterns of the files that it may touch. */
  readonly sources: readonly string[];
  readonly tests: readonly string[];
  readonly command: string | undefined;
}

function additions(): Addition[] {
  const text = readFileSync(join(ROOT, 'CONTRIBUTING.md'), 'utf8').split('<!-- additions -->\n\n')[1]!;
  const rows = text.slice(0, text.indexOf('\n\n')).split('\n').slice(2);
  const quoted = (cell: string): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
  return rows.map((row) => {
    const [, kind, sources, tests, command] = row.split('|').map((cell) => cell.trim());
    return {
      kind: kind!,
      sources: quoted(sources!),
      tests: quoted(tests!),
      command: quoted(command!)[0],
    };
  });
}

let copy: string;
beforeEach(() => {
  copy = mkdtempSync(join(tmpdir(), 'millrace-house-'));
  const isOfOthers = /^(?:\.git|node_modules|dist|\.dist-.*)$/;
  cpSync(ROOT, copy, {
    recursive: true,
    filter: (path) => !isOfOthers.test(path.slice(ROOT.length).split('/')[0]!),
  });
  symlinkSync(join(ROOT, 'node_modules'), join(copy, 'node_modules'), 'dir');
});
afterEach(() => rmSync(copy, { recursive: true, force: true }));

test.each(additions())('a $kind is added with the files that are named, and works', (addition) => {
  const patch = join(ROOT, `test/house/${addition.kind}.patch`);
  const touched = [...readFileSync(patch, 'utf8').matchAll(/^\+\+\+ b\/(.+)$/gm)].map(([, path]) => path!);
  const isOf = (patterns: readonly string[]) => (path: string) =>
    patterns.some((pattern) => new RegExp(`^${pattern.replaceAll('*', '[^/]*')}$`).test(path));
  const tests = touched.filter(isOf(addition.tests));
  const sources = touched.filter(isOf(addition.sources));
  expect(touched.filter((path) => !tests.includes(path) && !sources.includes(path))).toEqual([]);
  expect(sources.length).toBeLessThanOrEqual(5);

  const options: ExecFileSyncOptions = { cwd: copy, stdio: 'pipe', encoding: 'utf8' };
  const run = (command: string): void => {
    try {
      execFileSync('bash', ['-c', command], options);
    } catch (error) {
      const { stdout, stderr } = error as { stdout: string; stderr: string };
      throw new Error(`${command} failed:\n${stdout}\n${stderr}`, { cause: error });
    }
  };
  run(`git apply -C1 '${patch}'`);
  if (addition.command !== undefined) run(addition.command);
  run('npx tsc --noEmit');
  run('node scripts/build.js');
  const named = addition.tests.filter((path) => !path.includes('*'));
  const files = [...tests, ...named].filter((path) => path.endsWith('.test.ts'));
  run(`npx vitest run test/tidy.test.ts ${files.join(' ')}`);
});
