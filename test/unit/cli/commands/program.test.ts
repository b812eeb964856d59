import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { CliCommand } from '../../../../src/cli/commands/command.ts';
import { COMMANDS } from '../../../../src/cli/commands/program.ts';
import { promptCommand } from '../../../../src/cli/commands/prompt-command.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));

/** The prompt's forms, then every command. */
function rows(): string[][] {
  const forms = promptCommand.options.filter(({ long }) => long === '--execute' || long === '--server');
  const does = ({ description, page }: CliCommand): string =>
    page === undefined ? description : `${description} ([${page}](docs/${page}))`;
  return [
    ['`millrace`', does(promptCommand)],
    ...forms.map(({ flags, description }) => [`\`millrace ${flags.split(', ').at(-1)}\``, description]),
    ...COMMANDS.map((command) => [`\`millrace ${command.usage}\``, does(command)]),
  ];
}

test('README lists the commands', () => {
  const table = [['command', 'does'], ...rows()];
  const widths = [0, 1].map((c) => Math.max(...table.map((row) => row[c]!.length)));
  const lines = table.map((row) => `| ${row.map((cell, c) => cell.padEnd(widths[c]!)).join(' | ')} |`);
  lines.splice(1, 0, `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`);
  const text = readFileSync(`${ROOT}README.md`, 'utf8');
  const wanted = text.replace(
    /(<!-- commands -->\n\n)[^]*(\n\n<!-- end -->)/,
    (_, before: string, after: string) => before + lines.join('\n') + after,
  );
  if (process.env['UPDATE_DOCS'] === '1') writeFileSync(`${ROOT}README.md`, wanted);
  expect(
    readFileSync(`${ROOT}README.md`, 'utf8'),
    'stale: UPDATE_DOCS=1 npx vitest run test/unit/cli/commands/program.test.ts writes it anew',
  ).toBe(wanted);
});
