import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';

export interface SelfTime {
  readonly name: string;
  /** Of the time in which the thread did anything. */
  readonly share: number;
}

const SAMPLING_MICROSECONDS = 500;

/** Profiles `work` and nothing before it. Writes what Chrome's tools open to `file`. */
export async function profiled<T>(
  file: string,
  work: () => Promise<T>,
): Promise<{ result: T; top: readonly SelfTime[] }> {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: SAMPLING_MICROSECONDS });
  await session.post('Profiler.start');
  const result = await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(file, JSON.stringify(profile));
  const names = new Map(profile.nodes.map((node) => [node.id, nameOf(node.callFrame)]));
  const times = new Map<string, number>();
  let total = 0;
  profile.samples?.forEach((id, i) => {
    const name = names.get(id) ?? '?';
    if (name === '(idle)') return;
    const micros = profile.timeDeltas?.[i] ?? 0;
    total += micros;
    times.set(name, (times.get(name) ?? 0) + micros);
  });
  const top = [...times]
    .sort((a, b) => b[1] - a[1])
    .slice(0, 15)
    .map(([name, micros]) => ({ name, share: micros / total }));
  return { result, top };
}

function nameOf({
  functionName,
  url,
  lineNumber,
}: {
  functionName: string;
  url: string;
  lineNumber: number;
}): string {
  const place = url.startsWith('node:') ? ` ${url}` : lineNumber > 0 ? ` :${lineNumber + 1}` : '';
  return `${functionName === '' ? '(anonymous)' : functionName}${place}`;
}
