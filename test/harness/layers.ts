/** Ground to roof. A room imports itself and rooms on earlier lines; rooms on one line do not know each other. */
export const LAYERS: readonly (readonly string[])[] = [
  ['grammar', 'src/common'],
  ['src/types'],
  ['src/log', 'src/state', 'src/formats', 'src/functions'],
  ['src/streams/topology'],
  ['src/streams/stores'],
  ['src/streams/processors'],
  ['src/streams/operations'],
  // By what it lives with: a partition of a sub-topology, the process's share of them, the whole application.
  ['src/streams/task'],
  ['src/streams/instance'],
  ['src/streams/application', 'src/streams/dsl'],
  ['src/streams/test-driver'],
  ['src/streams/streams-api.ts'],
  ['src/sql/parser'],
  ['src/sql/catalog', 'src/sql/expressions'],
  ['src/sql/analyzer'],
  ['src/sql/plan'],
  ['src/sql/optimizer'],
  ['src/sql/lower'],
  ['src/engine'],
  ['src/server', 'src/test-runner', 'src/cli/backend'],
  ['src/cli/render'],
  ['src/cli/run'],
  ['src/cli/commands'],
  ['src/main.ts'],
];

/** The rooms as docs/ARCHITECTURE.md shows them: those of the house, then those inside each. */
export function roomsText(): string {
  const lines = [orderOf('src')];
  for (const room of ['streams', 'sql', 'cli']) lines.push(`inside ${room}: ${orderOf(`src/${room}`)}`);
  return lines.join('\n');
}

/** What lies in a folder, each name where it first stands: `a | b < c`. */
function orderOf(folder: string): string {
  const seen = new Set<string>();
  const layers = LAYERS.map((layer) =>
    layer.flatMap((room) => {
      const name = nameIn(folder, room);
      if (name === null || seen.has(name)) return [];
      seen.add(name);
      return [name];
    }),
  );
  return layers
    .filter((names) => names.length > 0)
    .map((names) => names.join(' | '))
    .join(' < ');
}

function nameIn(folder: string, room: string): string | null {
  if (room.startsWith(`${folder}/`)) return room.slice(folder.length + 1).split('/')[0]!;
  return folder === 'src' ? room : null;
}
