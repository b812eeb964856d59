import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** What the programs of the documentation leave to the reader, by what they use of it. */
const LEFT_OUT: readonly (readonly [uses: string, declared: string])[] = [
  ['await log.', 'const builder = new (await import("millrace/streams")).StreamsBuilder();'],
  [
    'payments\n',
    'declare const payments: import("millrace/streams").KStream<string, { amount: number }>;\n' +
      'declare function score(payment: { amount: number }): Promise<number>;',
  ],
  [
    ', Order>',
    'interface Order { item: string }\ndeclare const builder: import("millrace/streams").StreamsBuilder;',
  ],
];

// More than a second: the compiler runs twice, as it does for who packs and for who uses the package.
test('the types of the package are built, and the programs of docs/streams.md are right by them', () => {
  const directory = mkdtempSync(join(tmpdir(), 'package-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const types = join(directory, 'node_modules/millrace');
  mkdirSync(types, { recursive: true });
  expect(compile('-p', join(ROOT, 'tsconfig.build.json'), '--outDir', types)).toBe('');

  writeFileSync(
    join(types, 'package.json'),
    '{"name":"millrace","type":"module","exports":{"./streams":{"types":"./src/streams/streams-api.d.ts"}}}',
  );
  for (const used of ['@types', 'kafkajs'])
    symlinkSync(join(ROOT, 'node_modules', used), join(directory, 'node_modules', used));
  const markdown = readFileSync(join(ROOT, 'docs/streams.md'), 'utf8');
  const programs = [...markdown.matchAll(/```ts\n(.*?)```/gs)].map(([, program]) => program!);
  expect(programs.length).toBeGreaterThan(4);
  programs.forEach((program, i) => {
    const declared = LEFT_OUT.filter(([uses]) => program.includes(uses)).map(([, text]) => text);
    writeFileSync(join(directory, `program-${i}.ts`), `${declared.join('\n')}\n${program}\nexport {};\n`);
  });
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}');
  writeFileSync(
    join(directory, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: {
        target: 'es2023',
        module: 'nodenext',
        lib: ['es2023', 'esnext.disposable'],
        types: ['node'],
        strict: true,
        noEmit: true,
      },
    }),
  );
  expect(compile('-p', directory)).toBe('');
});

function compile(...args: string[]): string {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [tsc, ...args], { encoding: 'utf8' });
  return stdout + stderr;
}
