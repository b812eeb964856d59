import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { KStream } from '../../../../src/streams/dsl/kstream.ts';
import type { KTable } from '../../../../src/streams/dsl/ktable.ts';
import type { Materialized } from '../../../../src/streams/dsl/options.ts';
import { Serdes } from '../../../../src/streams/dsl/serdes.ts';
import type { StreamsBuilder } from '../../../../src/streams/dsl/streams-builder.ts';
import {
  SessionWindows,
  SlidingWindows,
  Suppressed,
  UnlimitedWindows,
} from '../../../../src/streams/dsl/windows.ts';
import type { Windowed } from '../../../../src/streams/topology/windowed.ts';
import { drive, type Piped, type Result } from '../../../harness/drive.ts';

/** What Kafka Streams 4.1 wrote for random records, out of order, through the topologies below. */
const runs = JSON.parse(
  readFileSync(new URL('../../../fixtures/kafka-streams-runs.json', import.meta.url), 'utf8'),
) as { readonly inputs: Piped[]; readonly outputs: Readonly<Record<string, Result[]>> }[];

type Texts = KTable<string, string>;

const versions = (name: string, historyRetentionMs = 60): Materialized<string, string> => ({
  name,
  versioned: { historyRetentionMs },
});
const stream = (b: StreamsBuilder, topic: string): KStream<string, string> => b.stream<string, string>(topic);
const plain = (b: StreamsBuilder, topic: string): Texts => b.table<string, string>(topic);
const versioned = (b: StreamsBuilder, topic: string): Texts =>
  b.table<string, string>(topic, {}, versions(`${topic}-versions`));
const pair = (left: string | null, right: string | null): string => `${left}${right}`;
const out = (table: Texts): void => table.toStream().to('out');
const grouped = (table: Texts): Texts =>
  table
    .groupBy((_key, value): [string, string] => [value.slice(0, 1), value])
    .aggregate(
      () => '',
      (_key, value, state) => `${state}+${value}`,
      (_key, value, state) => `${state}-${value}`,
    );
const notB = (_key: string, value: string): boolean => !value.startsWith('b');
const inWindow = ({ key, window }: Windowed<string>): string => `${key}@${window.start}-${window.end}`;
const windowed = (table: KTable<Windowed<string>, string>, text: (key: Windowed<string>) => string): void =>
  table.toStream(text).to('out', { keySerde: Serdes.string });
const cogrouped = (b: StreamsBuilder) =>
  stream(b, 's')
    .groupByKey()
    .cogroup<string>((_key, value, state) => `${state}s${value}`)
    .cogroup(stream(b, 't').groupByKey(), (_key, value, state) => `${state}t${value}`);

const topologies: Readonly<Record<string, (b: StreamsBuilder) => void>> = {
  'suppress until a time limit': (b) => out(plain(b, 't').suppress(Suppressed.untilTimeLimit(20))),
  'suppress in a small buffer': (b) =>
    out(plain(b, 't').suppress(Suppressed.untilTimeLimit(50, { recordsMax: 2, whenFull: 'emit' }))),
  'join with grace': (b) => stream(b, 's').join(versioned(b, 't'), pair, { graceMs: 20 }).to('out'),
  'leftJoin with grace': (b) => stream(b, 's').leftJoin(versioned(b, 't'), pair, { graceMs: 60 }).to('out'),
  'leftJoin as of the record': (b) => stream(b, 's').leftJoin(versioned(b, 't'), pair).to('out'),
  'versioned leftJoin by foreign key': (b) =>
    out(versioned(b, 't').leftJoin(versioned(b, 'u'), (value) => value.slice(0, 1), pair)),
  'versioned join by foreign key': (b) =>
    out(versioned(b, 't').join(versioned(b, 'u'), (value) => value.slice(0, 1), pair)),
  'versioned outerJoin': (b) => out(versioned(b, 't').outerJoin(versioned(b, 'u'), pair)),
  'join into a versioned store and groupBy': (b) =>
    out(grouped(plain(b, 't').join(plain(b, 'u'), pair, versions('j')))),
  'versioned groupBy': (b) => out(grouped(versioned(b, 't'))),
  'filter into a versioned store': (b) => out(versioned(b, 't').filter(notB, versions('f', 30))),
  'filter of a versioned table into a plain store and groupBy': (b) =>
    out(grouped(versioned(b, 't').filter(notB, { name: 'f' }))),
  'reduce into a versioned store': (b) =>
    out(
      stream(b, 't')
        .groupByKey()
        .reduce((state, value) => state + value, versions('v')),
    ),
  'cogrouped sessions': (b) =>
    windowed(
      cogrouped(b)
        .windowedBy(SessionWindows.ofInactivityGapAndGrace(10, 30))
        .aggregate(
          () => '',
          (_key, left, right) => `${left}|${right}`,
        ),
      inWindow,
    ),
  'cogrouped sliding windows': (b) =>
    windowed(
      cogrouped(b)
        .windowedBy(SlidingWindows.ofTimeDifferenceAndGrace(10, 30))
        .aggregate(() => ''),
      inWindow,
    ),
  'transformValues of a view and groupBy': (b) =>
    out(
      grouped(
        b
          .table<string, string>('t', {}, { name: 'rows' })
          .transformValues(() => ({ transform: (value) => (value === null ? 'nil' : `${value}!`) })),
      ),
    ),
  'transformValues of a store and groupBy': (b) =>
    out(
      grouped(
        plain(b, 't').transformValues(
          () => ({ transform: (value) => (value === null ? null : `${value}!`) }),
          { name: 'x' },
        ),
      ),
    ),
  'unlimited windows': (b) =>
    windowed(
      stream(b, 't').groupByKey().windowedBy(UnlimitedWindows.of().startOn(40)).reduce(pair),
      ({ key, window }) => `${key}@${window.start}`,
    ),
};

describe.each(Object.keys(runs[0]!.outputs))('%s', (name) => {
  test.each(runs.map((run, i) => [i, run] as const))('run %i', async (_, { inputs, outputs }) => {
    const topics = { s: 1, t: 1, u: 1 };
    expect(await drive(topologies[name]!, inputs, { topics })).toEqual(outputs[name]);
  });
});
