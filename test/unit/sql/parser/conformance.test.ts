import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { parseStatements } from '../../../../src/sql/parser/parse.ts';
import { printStatement } from '../../../../src/sql/parser/print-statement.ts';
import { withoutSpans } from '../../../harness/arbitrary-ast.ts';

const folder = fileURLToPath(new URL('../../../../../shared/conformance/ksqldb/query/', import.meta.url));

interface Case {
  readonly name: string;
  readonly statements?: readonly string[];
  readonly expectedException?: unknown;
}

/** The files are JSON with comments and trailing commas here and there. */
function readLeniently(text: string): { tests: Case[] } {
  try {
    return JSON.parse(text) as { tests: Case[] };
  } catch {
    const strings = /"(?:[^"\\]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=\s*[}\]])/g;
    return JSON.parse(text.replaceAll(strings, (part) => (part.startsWith('"') ? part : ''))) as {
      tests: Case[];
    };
  }
}

// Skipped where the conformance cases are not checked out beside the repository.
test.skipIf(!existsSync(folder))(
  'every statement of the ksqlDB cases that should succeed parses, and prints to itself',
  () => {
    const failures: string[] = [];
    let parsed = 0;
    for (const file of readdirSync(folder).filter((name) => name.endsWith('.json'))) {
      for (const { name, statements, expectedException } of readLeniently(readFileSync(folder + file, 'utf8'))
        .tests) {
        if (expectedException !== undefined) continue;
        for (const each of statements ?? []) {
          const text = each.replaceAll('{FORMAT}', 'JSON');
          try {
            const [first, ...more] = parseStatements(text);
            expect(more).toEqual([]);
            const again = parseStatements(`${printStatement(first!.statement)};`)[0]!;
            expect(withoutSpans(again.statement)).toEqual(withoutSpans(first!.statement));
            parsed++;
          } catch (error) {
            failures.push(`${file}: ${name}: ${text}\n  ${(error as Error).message}`);
          }
        }
      }
    }
    expect(failures).toEqual([]);
    expect(parsed).toBeGreaterThan(2000);
  },
);
