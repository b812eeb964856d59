import { createSyntaxDiagramsCode, type IProduction, type ISerializedGast, type Rule } from 'chevrotain';
import { SqlParser } from '../../grammar/grammar.ts';
import { ERROR_CODES, type ErrorCode, renderSqlError, SqlError } from '../../src/common/error.ts';
import { describeFunction, renderFunction } from '../../src/functions/describe.ts';
import { builtinFunctions } from '../../src/functions/registry.ts';
import { wireCodeOf } from '../../src/server/request-error.ts';
import { parseStatements } from '../../src/sql/parser/parse.ts';

/** The pages of `docs/sql/`, made from the grammar, the function registry and the table of error codes. */

const MADE =
  'Made from the sources by `UPDATE_DOCS=1 npx vitest run test/sql-reference.test.ts`; do not edit.';

/** Every page by its file name. */
export function referencePages(): ReadonlyMap<string, string> {
  const rules = Object.values(new SqlParser().getGAstProductions());
  return new Map([
    ['README.md', indexPage(rules.length)],
    ['grammar.md', grammarPage(rules)],
    ['grammar.html', diagramsPage()],
    ['functions.md', functionsPage()],
    ['errors.md', errorsPage()],
  ]);
}

function indexPage(rules: number): string {
  return [
    '# SQL reference',
    '',
    MADE,
    '',
    `- [grammar.md](grammar.md): the ${rules} rules of the language, as text`,
    '- [grammar.html](grammar.html): the same as railroad diagrams (open it in a checkout where `npm ci` has run)',
    `- [functions.md](functions.md): all ${builtinFunctions.size} functions`,
    '- [errors.md](errors.md): the codes of errors',
    '- [user-functions.md](../user-functions.md): functions of your own',
    '- [sql-tests.md](../sql-tests.md): ASSERT, RUN SCRIPT and tests in SQL',
    '',
  ].join('\n');
}

function grammarPage(rules: readonly Rule[]): string {
  const lines = ['# Grammar', '', MADE, ''];
  lines.push(
    'Words in capitals are keywords, in any case. `[x]` is optional, `{x}` repeats any number of times, `{x}+` at least',
    'once, `a | b` is a choice.',
    '',
  );
  for (const rule of rules)
    lines.push(`## ${rule.name}`, '', '```', `${rule.name} ::=`, `  ${sequence(rule.definition)}`, '```', '');
  return lines.join('\n');
}

function sequence(definition: readonly IProduction[]): string {
  return definition.map((each) => production(each)).join(' ');
}

function production(each: IProduction): string {
  const inner = 'definition' in each ? (each.definition as IProduction[]) : [];
  const separator = 'separator' in each ? labelOf(each.separator as { name: string }) : '';
  switch (each.constructor.name) {
    case 'Terminal':
      return labelOf((each as unknown as { terminalType: { name: string; LABEL?: string } }).terminalType);
    case 'NonTerminal':
      return (each as unknown as { nonTerminalName: string }).nonTerminalName;
    case 'Option':
      return `[${sequence(inner)}]`;
    case 'Repetition':
      return `{${sequence(inner)}}`;
    case 'RepetitionMandatory':
      return `{${sequence(inner)}}+`;
    case 'RepetitionWithSeparator':
      return `[${sequence(inner)} {${separator} ${sequence(inner)}}]`;
    case 'RepetitionMandatoryWithSeparator':
      return `${sequence(inner)} {${separator} ${sequence(inner)}}`;
    case 'Alternation':
      return `(${inner.map((alternative) => production(alternative)).join(' | ')})`;
    default:
      return sequence(inner);
  }
}

function labelOf(token: { readonly name: string; readonly LABEL?: string }): string {
  return token.LABEL ?? token.name;
}

/** Chevrotain draws them in the browser; its script is the installed one, so the page needs no network. */
function diagramsPage(): string {
  const productions: ISerializedGast[] = new SqlParser().getSerializedGastProductions();
  return createSyntaxDiagramsCode(productions, {
    resourceBase: '../../node_modules/chevrotain/diagrams/',
    css: '../../node_modules/chevrotain/diagrams/diagrams.css',
  });
}

function functionsPage(): string {
  const lines = ['# Functions', '', MADE, '', 'DESCRIBE FUNCTION shows the same at the prompt.', ''];
  const described = [...builtinFunctions.values()].map((fn) => ({ fn, ...describeFunction(fn) }));
  const sections = [...new Set(described.map(({ kind, category }) => `${kind}: ${category}`))].sort();
  for (const section of sections) {
    lines.push(`## ${section}`, '');
    const members = described.filter(({ kind, category }) => `${kind}: ${category}` === section);
    for (const { fn, name } of members.sort((a, b) => (a.name < b.name ? -1 : 1)))
      lines.push(`### ${name}`, '', '```', renderFunction(fn), '```', '');
  }
  return lines.join('\n');
}

/** A mistake as people see it. */
const MISTAKE = 'SELECT AMOUNT FORM ORDERS EMIT CHANGES;';

function renderMistake(): string {
  try {
    parseStatements(MISTAKE);
  } catch (error) {
    if (error instanceof SqlError) return renderSqlError(error, MISTAKE);
    throw error;
  }
  throw new Error(`'${MISTAKE}' was to be a mistake`);
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, meaning]) => [
    `\`${code}\``,
    String(wireCodeOf(code as ErrorCode)),
    meaning,
  ]);
  const table = [['code', 'REST', 'stands for'], [], ...rows];
  const widths = [0, 1, 2].map((c) => Math.max(...table.map((row) => row[c]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${widths.map((width, c) => (row[c] ?? '-'.repeat(width)).padEnd(width)).join(' | ')} |`;
  return [
    '# Error codes',
    '',
    MADE,
    '',
    'A mistake in a statement is answered with a code, the place and, where there is one, a hint. Codes stay the same from',
    'one version to the next, texts may change. The column REST is the `error_code` of the answer, whose HTTP status is that',
    'code without its last two digits.',
    '',
    '```',
    renderMistake(),
    '```',
    '',
    ...table.map(line),
    '',
  ].join('\n');
}
