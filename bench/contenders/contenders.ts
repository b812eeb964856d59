import type { Contender } from '../contender.ts';
import { handWritten } from '../peers/hand-written.ts';
import { kafkajsLoop } from '../peers/kafkajs-loop.ts';
import { type Guarantee, GUARANTEES, type Scenario, SCENARIOS } from '../scenarios.ts';
import { dsl } from './dsl.ts';
import { sql } from './sql.ts';

export function contenderName(
  who: string,
  { name, commitMs }: Scenario,
  log: Contender['log'],
  guarantee: Guarantee,
): string {
  const question = `${name}${name === 'windowed-count' ? `-${commitMs}ms` : ''}`;
  return `${question}/${who}/${log}${guarantee === 'exactly_once_v2' ? '/exactly-once' : ''}`;
}

/** Everyone who runs in Node, a scenario after the other. */
export function contenders(): readonly Contender[] {
  const found: Contender[] = [];
  for (const scenario of SCENARIOS) {
    const add = (
      who: string,
      log: Contender['log'],
      pass: Contender['pass'],
      guarantee: Guarantee = 'at_least_once',
    ): void => {
      found.push({ name: contenderName(who, scenario, log, guarantee), scenario, log, guarantee, pass });
    };
    if (scenario.name === 'filter-project')
      for (const log of ['embedded', 'kafka'] as const)
        add('hand-written', log, ({ log: own, workload }) => handWritten(own, workload));
    add('dsl', 'embedded', dsl);
    add('sql', 'embedded', sql);
    if (scenario.name !== 'word-count')
      for (const guarantee of GUARANTEES) add('sql', 'kafka', sql, guarantee);
    if (scenario.name === 'filter-project')
      add('kafkajs-loop', 'kafka', ({ address, workload }) => kafkajsLoop(address, workload));
  }
  return found;
}
