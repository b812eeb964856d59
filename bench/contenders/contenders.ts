import type { Contender } from '../contender.ts';
import { handWritten } from '../peers/hand-written.ts';
import { kafkajsLoop } from '../peers/kafkajs-loop.ts';
import { type Scenario, SCENARIOS } from '../scenarios.ts';
import { dsl } from './dsl.ts';
import { sql } from './sql.ts';

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
    if (scenario.name === 'filter-project')
      for (const log of ['embedded', 'kafka'] as const)
        add('hand-written', log, ({ log: own, workload }) => handWritten(own, workload));
    add('dsl', 'embedded', dsl);
    add('sql', 'embedded', sql);
    if (scenario.name !== 'word-count') add('sql', 'kafka', sql);
    if (scenario.name === 'filter-project')
      add('kafkajs-loop', 'kafka', ({ address, workload }) => kafkajsLoop(address, workload));
  }
  return found;
}
