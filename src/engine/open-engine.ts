import { Engine, type EngineOptions } from './engine.ts';

/** Opens an engine and replays its command log: afterwards the catalog is as it was and its queries run. */
export function openEngine(options: EngineOptions): Promise<Engine> {
  return Engine.open(options);
}
