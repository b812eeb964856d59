import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, normalize, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { systemClock } from '../src/common/clock.ts';
import { ERROR_CODES } from '../src/common/error.ts';
import { silentLogger } from '../src/common/logger.ts';
import { ABSENT_FORMATS, FORMATS } from '../src/formats/every-format.ts';
import type { Log } from '../src/log/log.ts';
import { openStateBackend } from '../src/state/task-state.ts';
import { Streams } from '../src/streams/application/streams.ts';
import { Topology } from '../src/streams/topology/topology.ts';
import { circlesIn, type ImportGraph } from './harness/import-circles.ts';
import { LAYERS } from './harness/layers.ts';

/**
 * The rules of the house, read from the sources: which room may import which, where each third-party package
 * lives, which calls are banned and what to use instead. These tables are their documentation too.
 */

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Only these rooms know `grammar`. */
const ONLY_FOR: Readonly<Record<string, readonly string[]>> = { grammar: ['grammar', 'src/sql/parser'] };

/** The one home of each third-party package. */
const HOMES: Readonly<Record<string, string>> = {
  chevrotain: 'grammar',
  kafkajs: 'src/log/kafka',
  snappy: 'src/log/codecs.ts',
  'lz4-napi': 'src/log/codecs.ts',
  fzstd: 'src/log/codecs.ts',
  '@hpcc-js/wasm-zstd': 'src/log/codecs.ts',
  'rocksdb-native': 'src/state',
  'fs-native-extensions': 'src/common/lock-file.ts',
  ws: 'src/server',
  pino: 'src/common/logger.ts',
  commander: 'src/cli/commands',
  'cli-table3': 'src/cli/render',
  'string-width': 'src/cli/render',
  re2js: 'src/functions',
  sucrase: 'src/engine/user-functions',
  'quickjs-emscripten-core': 'src/engine/user-functions',
  '@jitl/quickjs-wasmfile-release-sync': 'src/engine/user-functions',
};

const CLOCK = 'src/common/clock.ts';

/** Calls that only one file may make, and what to use instead. */
const BANNED: readonly (readonly [home: string, pattern: RegExp, instead: string])[] = [
  [CLOCK, /\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, 'the Clock that is handed in'],
  [CLOCK, /\bMath\.random\(/, 'the Random that is handed in'],
  [CLOCK, /(?<![.\w])(setTimeout|setInterval|setImmediate)\(/, 'Clock.setTimer or nextTurn'],
  ['src/common/abort.ts', /\baddEventListener\(\s*'abort'/, 'onAbort or untilAborted, which unsubscribe'],
];

interface Source {
  readonly path: string;
  readonly text: string;
}

function sourcesIn(...directories: string[]): Source[] {
  const found: Source[] = [];
  const walk = (directory: string): void => {
    for (const name of readdirSync(directory)) {
      const path = join(directory, name);
      if (statSync(path).isDirectory()) walk(path);
      else if (/\.(?:ts|js)$/.test(path))
        found.push({ path: relative(ROOT, path), text: readFileSync(path, 'utf8') });
    }
  };
  for (const directory of directories) walk(join(ROOT, directory));
  return found;
}

const sources = (): Source[] => sourcesIn('grammar', 'src');

function roomOf(path: string): number {
  return LAYERS.findIndex((layer) => layer.some((room) => path === room || path.startsWith(`${room}/`)));
}

function nameOf(path: string): string | undefined {
  return LAYERS.flat().find((room) => path === room || path.startsWith(`${room}/`));
}

function importsOf(source: Source): string[] {
  const pattern =
    /^\s*(?:import|export)\b[^'"]*?\bfrom\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)|^import\s+['"]([^'"]+)['"]|\brequire\.resolve\(['"]([^'"]+)['"]\)/gm;
  return [...source.text.matchAll(pattern)].map((match) => (match[1] ?? match[2] ?? match[3] ?? match[4])!);
}

/** Every breach of the rules in `files`, a line each. */
export function findBreaches(files: readonly Source[]): string[] {
  const breaches: string[] = [];
  for (const file of files) {
    const from = roomOf(file.path);
    if (from < 0) breaches.push(`${file.path}: stands in no room of LAYERS`);
    for (const specifier of importsOf(file)) {
      if (specifier.startsWith('.')) {
        const target = normalize(join(dirname(file.path), specifier));
        const to = roomOf(target);
        const sameRoom = nameOf(file.path) === nameOf(target);
        if (!sameRoom && to >= from)
          breaches.push(`${file.path}: imports ${target}, which lies above or beside it`);
        const readers = ONLY_FOR[nameOf(target) ?? ''];
        if (readers !== undefined && !readers.includes(nameOf(file.path) ?? ''))
          breaches.push(`${file.path}: only ${readers.join(', ')} may import ${target}`);
      } else if (!specifier.startsWith('node:')) {
        const name = specifier.startsWith('@')
          ? specifier.split('/').slice(0, 2).join('/')
          : specifier.split('/')[0]!;
        const home = HOMES[name];
        if (home === undefined) breaches.push(`${file.path}: package ${name} has no home in HOMES`);
        else if (file.path !== home && !file.path.startsWith(`${home}/`))
          breaches.push(`${file.path}: package ${name} lives in ${home}`);
      }
    }
    const code = file.text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    for (const [home, pattern, instead] of BANNED)
      if (file.path !== home && pattern.test(code))
        breaches.push(`${file.path}: ${pattern.source} is banned; use ${instead}`);
  }
  return breaches;
}

test('every import goes down the house, every package stays at home, no banned call', () => {
  expect(findBreaches(sources())).toEqual([]);
});

test('a planted upward import, stray package and banned call are each named', () => {
  const planted: Source[] = [
    { path: 'src/log/x.ts', text: "import { a } from '../engine/engine.ts';\n" },
    { path: 'src/sql/plan/x.ts', text: "import { Kafka } from 'kafkajs';\n" },
    { path: 'src/state/x.ts', text: 'const t = Date.now();\n' },
    { path: 'src/cli/run/x.ts', text: "signal.addEventListener('abort', stop);\n" },
    { path: 'src/log/y.ts', text: "const file = require.resolve('sucrase/register');\n" },
    { path: 'src/state/y.ts', text: "import type { Log } from '../log/log.ts';\n" },
  ];
  const breaches = findBreaches(planted);
  expect(breaches).toHaveLength(6);
  expect(breaches[0]).toContain('src/log/x.ts: imports src/engine/engine.ts');
  expect(breaches[1]).toContain('package kafkajs lives in src/log/kafka');
  expect(breaches[2]).toContain('is banned; use the Clock');
  expect(breaches[3]).toContain('use onAbort');
  expect(breaches[4]).toContain('src/log/y.ts: package sucrase lives in');
  expect(breaches[5]).toContain('src/state/y.ts: imports src/log/log.ts');
});

test('each room of LAYERS exists, and a file outside of them is named', () => {
  expect(LAYERS.flat().filter((room) => !existsSync(join(ROOT, room)))).toEqual([]);
  expect(findBreaches([{ path: 'src/attic/x.ts', text: '' }])).toEqual([
    'src/attic/x.ts: stands in no room of LAYERS',
  ]);
});

/** What each file imports: for its values, or for its types too. */
function importGraph(files: readonly Source[], wanted: 'values' | 'types too'): ImportGraph {
  const imports = /^(?:import|export)\s+(type\b|\{(?:\s*type [^,}]+,?)*\s*\})?[^'"]*?\bfrom\s+'(\.[^']+)'/gm;
  return new Map(
    files.map(({ path, text }) => [
      path,
      [...text.matchAll(imports)]
        .filter(([, isType]) => isType === undefined || wanted === 'types too')
        .map(([, , from]) => normalize(join(dirname(path), from!))),
    ]),
  );
}

/** Where files name each other's types: streams and tables give each other, and statements run on the engine they make. */
const MUTUAL_TYPES = ['src/streams/dsl/', 'src/engine/'];

test('no circle in the import graph, and of types only where things are made of each other', () => {
  expect(circlesIn(importGraph(sources(), 'values'))).toEqual([]);
  const mutual = circlesIn(importGraph(sources(), 'types too'));
  for (const room of MUTUAL_TYPES)
    expect(mutual.flat().filter((path) => path.startsWith(room))).not.toEqual([]);
  expect(mutual.flat().filter((path) => !MUTUAL_TYPES.some((room) => path.startsWith(room)))).toEqual([]);

  const planted: Source[] = [
    { path: 'src/log/a.ts', text: "import { b } from './b.ts';\n" },
    { path: 'src/log/b.ts', text: "export { c } from './deep/c.ts';\n" },
    { path: 'src/log/deep/c.ts', text: "import type { b } from '../b.ts';\nimport { a } from '../a.ts';\n" },
    { path: 'src/log/d.ts', text: "import { type b } from './b.ts';\nimport { e } from './e.ts';\n" },
    { path: 'src/log/e.ts', text: "import type { d } from './d.ts';\n" },
  ];
  const circle = ['src/log/a.ts', 'src/log/b.ts', 'src/log/deep/c.ts'];
  expect(circlesIn(importGraph(planted, 'values'))).toEqual([circle]);
  expect(circlesIn(importGraph(planted, 'types too'))).toEqual([circle, ['src/log/d.ts', 'src/log/e.ts']]);
});

test('what Streams shows is what docs/streams.md says of it', () => {
  const streams = new Streams(new Topology(), {
    applicationId: 'app',
    log: {} as Log,
    clock: systemClock,
    state: openStateBackend(),
    stateDirectory: null,
    logger: silentLogger,
  });
  const shown = new Set<string>();
  for (let each: object = streams; each !== Object.prototype; each = Object.getPrototypeOf(each) as object)
    for (const name of Object.getOwnPropertyNames(each)) shown.add(name);
  shown.delete('constructor');

  const page = readFileSync(join(ROOT, 'docs/streams.md'), 'utf8');
  const [, section] = /### What `Streams` does and answers\n(.*?)\n\n\w/s.exec(page)!;
  const told = [...section!.matchAll(/^\| (`[^|]*) \|/gm)].flatMap(([, cell]) =>
    [...cell!.matchAll(/`(\w+)/g)].map(([, name]) => name!),
  );
  expect([...shown].sort()).toEqual(told.sort());
});

test('SQL has no operators of its own: all are in src/streams/processors', () => {
  const own = sources().filter(
    ({ path, text }) =>
      path.startsWith('src/sql/') && /\b(implements Processor|extends (Aggregate)?Operator)/.test(text),
  );
  expect(own.map(({ path }) => path)).toEqual([]);
});

test('SQL has no wiring of its own: stores, internal topics and co-partitions are added in src/streams/operations', () => {
  const own = sources().filter(
    ({ path, text }) =>
      path.startsWith('src/sql/') &&
      /\.(?:addStore|connectStore|addRepartitionTopic|addCopartition)\(/.test(text),
  );
  expect(own.map(({ path }) => path)).toEqual([]);
});

/** Where a text in quotes is the name of a format. Names within statements (`VALUE_FORMAT='…'`) tell nothing apart. */
function formatsNamed({ path, text }: Source): string[] {
  const names = [...FORMATS, ...ABSENT_FORMATS].map(({ name }) => name).join('|');
  const literal = new RegExp(`(?<!=|category: |scalars\\()(['"\`])(?:${names})\\1`, 'g');
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [...code.matchAll(literal)].map(
    ([name]) => `${path}: ${name}; what a format is like, its literal says`,
  );
}

test('no format is known by its name outside its room', () => {
  const outside = sources().filter(({ path }) => !path.startsWith('src/formats/'));
  expect(outside.flatMap(formatsNamed)).toEqual([]);
  const planted = { path: 'src/engine/x.ts', text: "const lone = format.name === 'DELIMITED';\n" };
  expect(formatsNamed(planted)).toHaveLength(1);
});

test('outside of state one file knows that something must be loaded first, and it is not the task’s', () => {
  const knows = sources()
    .filter(({ text }) => /^import\b[^;]*\bMISS\b[^;]*;/m.test(text))
    .map(({ path }) => path)
    .filter((path) => !path.startsWith('src/state/'));
  expect(knows).toEqual(['src/streams/stores/read-through.ts']);
});

test('every code of an error is thrown somewhere', () => {
  const thrown = sources()
    .filter(({ path }) => path !== 'src/common/error.ts')
    .map(({ text }) => text)
    .join('\n');
  const isThrown = (code: string): boolean => new RegExp(`(?:SqlError|fail)\\([^;]*'${code}'`).test(thrown);
  expect(Object.keys(ERROR_CODES).filter((code) => !isThrown(code))).toEqual([]);
});

/** The kinds of statements, as the syntax tree names them. */
function statementKinds(): readonly string[] {
  const ast = readFileSync(join(ROOT, 'src/sql/parser/ast.ts'), 'utf8');
  const union = /export type Statement =([^;]*);/.exec(ast)![1]!;
  return [...union.matchAll(/\w+/g)].map(
    ([name]) => new RegExp(`(?:interface|type) ${name}\\b[^{;]*?Node<'(\\w+)'>`).exec(ast)![1]!,
  );
}

/** Where a statement is asked for its kind, or a text in quotes is one that means nothing else. */
function statementKindsTold({ path, text }: Source): string[] {
  const names = statementKinds().filter((kind) => /[A-Z]/.test(kind));
  const told = new RegExp(
    `\\bstatement\\??\\.kind\\b|\\bkind\\b[^}\\n]*\\} = [\\w.]*\\bstatement;|(?<![<|]\\s?)'(?:${names.join('|')})'`,
    'g',
  );
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
  return [...code.matchAll(told)].map(
    ([what]) => `${path}: ${what}; what a statement does, its definition says`,
  );
}

test('no statement is known by its kind outside of the language and of its definition', () => {
  const outside = sources().filter(
    ({ path }) => !/^(?:grammar|src\/sql|src\/engine\/statements)\//.test(path),
  );
  expect(outside.flatMap(statementKindsTold)).toEqual([]);
  expect(statementKinds()).toEqual(
    expect.arrayContaining(['query', 'createSource', 'terminate', 'runScript']),
  );
  const planted = (text: string): number => statementKindsTold({ path: 'src/cli/x.ts', text }).length;
  expect(planted("if (parsed.statement.kind === 'query') return;\n")).toBe(1);
  expect(planted('const { kind } = parsed.statement;\n')).toBe(1);
  expect(planted("const CHANGES = new Set(['insertValues', 'dropSource']);\n")).toBe(2);
  expect(planted("function settle(statement: StatementOf<'insertValues' | 'dropSource'>): void {}\n")).toBe(
    0,
  );
});

/** Values that a file exports and no other one imports, by name or as a part of all that it exports. */
function idleExports(files: readonly Source[], importers: readonly Source[]): string[] {
  const byTarget = new Map<string, Source[]>();
  for (const importer of importers)
    for (const specifier of importsOf(importer)) {
      const target = normalize(join(dirname(importer.path), specifier));
      byTarget.set(target, [...(byTarget.get(target) ?? []), importer]);
    }
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:abstract |async )?(?:function\*?|const|class) (\w+)/gm)]
      .map(([, name]) => name!)
      .filter((name) => {
        const used = new RegExp(`\\b${name}\\b|\\* as `);
        return byTarget.get(path)?.some((importer) => used.test(importer.text)) !== true;
      })
      .map((name) => `${path}: nobody imports ${name}`),
  );
}

test('every value that is exported is imported somewhere', () => {
  const inside = sources();
  const outside = ['test', 'bench', 'scripts'].flatMap((directory) => sourcesIn(directory));
  expect(idleExports(inside, [...inside, ...outside])).toEqual([]);
  const planted: Source[] = [
    { path: 'src/log/a.ts', text: 'export function used() {}\nexport const idle = 1;\n' },
    { path: 'src/log/b.ts', text: "import { used } from './a.ts';\n" },
  ];
  expect(idleExports(planted, planted)).toEqual(['src/log/a.ts: nobody imports idle']);
});
