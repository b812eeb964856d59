import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Option } from 'commander';
import type { CliCommand } from './command.ts';
import { EXIT_DONE, EXIT_FAILED } from './exit-codes.ts';
import type { FileReport, JournalRepair } from '../../log/embedded/repair-journal.ts';
import type { LostOffsets } from '../../log/embedded/rebuild-state.ts';
import type { Finding } from '../../log/embedded/inspect-segment.ts';

export const repairCommand: CliCommand = {
  usage: 'repair <dir>',
  description:
    'keeps what can be kept of a data directory whose log is damaged or incomplete, and says what is lost',
  page: 'data-directory.md',
  options: [new Option('--dry-run', 'say what would be kept and lost, and change nothing')],
  run: repair,
};

/** Says what is wrong with an embedded log and what can be kept, and keeps that. */
async function repair(
  [given = '']: readonly string[],
  { dryRun = false }: { readonly dryRun?: boolean },
): Promise<number> {
  const [{ openRepair }, { systemClock }] = await Promise.all([
    import('../../log/embedded/repair-journal.ts'),
    import('../../common/clock.ts'),
  ]);
  const directory = logDirectoryOf(given);
  if (directory === undefined) {
    process.stderr.write(`error: ${given} is no data directory: it has no embedded log\n`);
    return EXIT_FAILED;
  }
  const opened = await openRepair(directory);
  try {
    const lines = [directory, ...linesOf(opened)];
    if (!opened.needed) {
      lines.push('nothing is damaged');
    } else if (dryRun) {
      lines.push('this was a dry run: nothing was changed');
    } else {
      const timestamp = new Date(systemClock.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
      const aside = opened.apply(timestamp);
      lines.push(`repaired; the files that are no longer used are kept in ${aside}`);
    }
    for (const line of lines) process.stdout.write(`${line}\n`);
    return EXIT_DONE;
  } finally {
    opened.close();
  }
}

/** A data directory's log, or the directory itself when it is one. */
function logDirectoryOf(given: string): string | undefined {
  return [join(given, 'log'), given].find(
    (directory) =>
      existsSync(directory) &&
      statSync(directory).isDirectory() &&
      readdirSync(directory).some((name) => /^\d{8,}\.(log|index)$|^end$/.test(name)),
  );
}

function linesOf({ files, lost, batches, namelessBatches }: JournalRepair): string[] {
  const lines = files.flatMap(fileLines);
  lines.push(`kept: ${batches} batches of records`);
  lines.push(...lost.map(lostLine));
  if (namelessBatches > 0)
    lines.push(`lost: ${namelessBatches} batches of topics whose creation, and with it their name, is lost`);
  if (files.some(({ findings }) => findings.some(({ loses }) => loses === 'frame')))
    lines.push(
      'what else the lost frames said (topics made or deleted, offsets committed) is lost with them',
    );
  return lines;
}

function fileLines({ name, sizeBytes, frames, findings }: FileReport): string[] {
  const head = sizeBytes === null ? name : `${name}: ${sizeBytes} bytes, ${frames} frames can be read`;
  return [
    head,
    ...findings.map((finding) => `  bytes ${finding.start} to ${finding.end - 1}: ${textOf(finding)}`),
  ];
}

function textOf({ what, loses }: Finding): string {
  const FATES = {
    nothing: 'nothing of it is lost, other checksums prove it',
    batches: 'its other batches are kept',
    frame: 'lost',
    unfinished: 'dropped; it was never finished',
  };
  return `${what}: ${FATES[loses]}`;
}

function lostLine({ topic, partition, from, to, maybe }: LostOffsets): string {
  const offsets = to - from === 1 ? `offset ${from}` : `offsets ${from} to ${to - 1}`;
  const range = `${offsets} of ${topic}-${partition}`;
  return maybe ? `skipped: ${range}, which lost records may have had` : `lost: ${range}`;
}
