import type { Contender } from '../contender.ts';
import { handWritten } from '../peers/hand-written.ts';
import { kafkajsLoop } from '../peers/kafkajs-loop.ts';
import { type Scenario, SCENARIOS } from '../scenarios.ts';
import { sql } from './sql.ts';
import { streams, STREAMS_SCENARIOS } from './streams.ts';

export function contenderName(who: string, { name, commitMs }: Scenario, log: Contender['log']): string {
  return `${name}${name === 'windowed-count' ? `-${commitMs}ms` : ''}/${who}/${log}`;
}

/** Everyone who runs in Node, a scenario after the other. */
export function contenders(): readonly Contender[] {
  const found: Contender[] = [];
  for (const scenario of SCENARIOS) {
    const add = (who: string, log: Contender['log'], pass: Contender['pass']): void => {
      found.push({ name: contenderName(who, scenario, log), scenario, log, pass });
    };
    for (const log of ['embedded', 'kafka'] as const) {
      if (scenario.name === 'filter-project')
        add('hand-written', log, ({ log: own, workload }) => handWritten(own, workload));
      add('sql', log, sql);
      if (STREAMS_SCENARIOS.includes(scenario.name) && log === 'embedded') add('streams', log, streams);
    }
    if (scenario.name === 'filter-project')
      add('kafkajs-loop', 'kafka', ({ address, workload }) => kafkajsLoop(address, workload));
  }
  return found;
}
