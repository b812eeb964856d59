/**
 * Faults of one place, each of which a test must notice. They stand for code that looks as if it could be left out: what
 * supervises, what guards against a rare order of events, the end of a range.
 */
export interface Mutant {
  /** What is wrong with it. */
  readonly what: string;
  readonly file: string;
  /** What stands there, exactly once, and what stands there instead. */
  readonly before: string;
  readonly after: string;
  /** The test file that notices, as narrow as possible. */
  readonly test: string;
}

/** The sources with the fault in them. Throws where the code has moved on. */
export function mutated({ what, file, before, after }: Mutant, code: string): string {
  const places = code.split(before).length - 1;
  if (places !== 1)
    throw new Error(`"${what}" stands ${places} times in ${file}: say anew what is changed there\n${before}`);
  return code.replace(before, () => after);
}

export const MUTANTS: readonly Mutant[] = [
  {
    what: 'input is committed although its output was lost in a flush that failed',
    file: 'src/streams/instance/committer.ts',
    before: '    await this.settle();\n    this.throwFlushError();\n',
    after: '    await this.settle();\n',
    test: 'test/unit/streams/instance/committer.test.ts',
  },
  {
    what: 'a query that failed is never started again',
    file: 'src/engine/persistent-query.ts',
    before: "onUncaughtError: 'replace',",
    after: "onUncaughtError: 'stop',",
    test: 'test/unit/engine/persistent-query.test.ts',
  },
  {
    what: 'a query that was paused runs when it is started again after a failure',
    file: 'src/streams/application/stepped-streams.ts',
    before: `// It may have been paused or closed meanwhile.
    if (!this.#stop) this.#changeState(this.#paused ? 'paused' : 'running');`,
    after: "if (!this.#stop) this.#changeState((this.resume(), 'running'));",
    test: 'test/unit/engine/persistent-query.test.ts',
  },
  {
    what: 'a change of the catalog does not wait for the one before it',
    file: 'src/engine/statement-order.ts',
    before: 'const turn = this.#turn.then(action);',
    after: 'const turn = action();',
    test: 'test/unit/engine/statement-order.test.ts',
  },
  {
    what: 'the handler of data decides about failures of the log',
    file: 'src/streams/task/record-failures.ts',
    before: '(error instanceof LogError && !error.refusesRecord);',
    after: 'false;',
    test: 'test/unit/streams/task/error-handlers.test.ts',
  },
  {
    what: 'sessions that lie exactly a gap apart stay apart',
    file: 'src/streams/processors/aggregate-sessions.ts',
    before: '      timestamp - gapMs,\n      timestamp + gapMs,\n',
    after: '      timestamp - gapMs + 1,\n      timestamp + gapMs,\n',
    test: 'test/unit/streams/dsl/windows.test.ts',
  },
  {
    what: 'rows of a pull query come twice when state had to be loaded',
    file: 'src/streams/stores/read-through.ts',
    before: `
      return read(partition.view);
    } catch (error) {
      if (error !== MISS) throw error;`,
    after: `
      const found = read(partition.view);
      return partition.missed && Array.isArray(found) ? [...found, ...found] : found;
    } catch (error) {
      if (error !== MISS) throw error;
      partition.missed = true;`,
    test: 'test/unit/engine/pull-ranges.test.ts',
  },
  {
    what: 'the row at the very end of the retention meets a partner',
    file: 'src/streams/operations/stream-join.ts',
    before: '(options.keepsEnd ? 0 : 1)',
    after: '0',
    test: 'test/unit/streams/dsl/stream-joins.test.ts',
  },
  {
    what: 'windows are kept a millisecond longer than Kafka Streams shows them',
    file: 'src/streams/operations/aggregate.ts',
    before: "emit === 'close' ? retentionMs : retentionMs - 1",
    after: 'retentionMs',
    test: 'test/unit/streams/test-driver/topology-test-driver.test.ts',
  },
  {
    what: 'a left join of tables is one from the right too',
    file: 'src/streams/operations/table-join.ts',
    before: "left: 'right',",
    after: "left: 'left',",
    test: 'test/unit/streams/dsl/tables.test.ts',
  },
  {
    what: 'a change on the right side gives its row for the left one',
    file: 'src/streams/operations/table-join.ts',
    before: 'joiner(other, own, key)',
    after: 'joiner(own, other, key)',
    test: 'test/unit/streams/dsl/tables.test.ts',
  },
  {
    what: 'a row whose answer came too late does not ask again',
    file: 'src/streams/operations/foreign-key-join.ts',
    before: 'if (asksAgain) sinkSubscriptionsOf(names.subscribe, names.resolve);',
    after: 'if (asksAgain) sinkSubscriptionsOf(names.subscribe);',
    test: 'test/unit/engine/foreign-key-races.test.ts',
  },
  {
    what: 'a stream and a table need not be partitioned alike to be joined',
    file: 'src/streams/operations/stream-table-join.ts',
    before: '  topology.addCopartition(options.sources);\n',
    after: '',
    test: 'test/unit/streams/test-driver/topology-test-driver.test.ts',
  },
  {
    what: 'the last row of a page comes again on the next',
    file: 'src/streams/stores/open-store-view.ts',
    before: 'from: above(last)',
    after: 'from: last',
    test: 'test/unit/streams/dsl/processor-stores.test.ts',
  },
  {
    what: 'a range leaves its end out',
    file: 'src/streams/stores/open-store-view.ts',
    before: 'to: above(this.#bound(to))',
    after: 'to: this.#bound(to)',
    test: 'test/unit/streams/application/queryable-store.test.ts',
  },
  {
    what: 'windows of the last moment of a stretch come again in the next',
    file: 'src/streams/stores/open-store-view.ts',
    before: 'first = last + 1;',
    after: 'first = last;',
    test: 'test/unit/engine/table-scan.test.ts',
  },
  {
    what: 'a session is found by its end alone',
    file: 'src/streams/stores/open-store-view.ts',
    before: 'window.start === start && window.end === end',
    after: 'window.end === end',
    test: 'test/unit/streams/dsl/processor-stores.test.ts',
  },
  {
    what: 'a store that was closed is read on',
    file: 'src/streams/stores/read-through.ts',
    before: '    partition.check();\n',
    after: '',
    test: 'test/unit/engine/table-scan.test.ts',
  },
  {
    what: 'an input whose writers lag behind is taken for one at its end',
    file: 'src/streams/task/partition-group.ts',
    before: 'maxIdleMs < 0 ? Infinity : horizon()',
    after: 'maxIdleMs < 0 ? Infinity : Infinity',
    test: 'test/unit/engine/merged-partitions.test.ts',
  },
  {
    what: 'an input of which nothing is known is not waited for',
    file: 'src/streams/task/partition-group.ts',
    before: 'this.#options.lagOf(queue.topic, queue.partition) !== 0',
    after: 'this.#options.lagOf(queue.topic, queue.partition) > 0',
    test: 'test/unit/streams/task/task.test.ts',
  },
  {
    what: 'a schedule catches up with what it missed',
    file: 'src/streams/task/punctuations.ts',
    before: '(missed + 1) * punctuation.intervalMs',
    after: 'punctuation.intervalMs',
    test: 'test/unit/streams/task/punctuations.test.ts',
  },
  {
    what: 'an offset that is gone is begun at',
    file: 'src/streams/instance/start-offset.ts',
    before: 'committed !== undefined && committed >= start && committed <= end',
    after: 'committed !== undefined && committed <= end',
    test: 'test/unit/streams/instance/start-offset.test.ts',
  },
  {
    what: 'state is restored beyond what was committed',
    file: 'src/streams/instance/restore.ts',
    before: 'batch.offsets[i]! >= range.to || ',
    after: '',
    test: 'test/unit/streams/instance/source-as-changelog.test.ts',
  },
  {
    what: 'repartitioned records are deleted before it is committed that they were read',
    file: 'src/streams/instance/repartition-purge.ts',
    before: ' && !task.commitNeeded',
    after: '',
    test: 'test/unit/streams/instance/repartition-purge.test.ts',
  },
  {
    what: 'whoever drops a source need not know what it is',
    file: 'src/engine/statements/drop-source.ts',
    before: 'if (source.type !== sourceKind)',
    after: 'if (false)',
    test: 'test/unit/engine/drop-source.test.ts',
  },
  {
    what: 'a source cannot be dropped because of the query that makes it',
    file: 'src/engine/statements/drop-source.ts',
    before: '(id) => id !== source.createdBy,',
    after: '() => true,',
    test: 'test/unit/engine/drop-source.test.ts',
  },
  {
    what: 'INSERT does not wait for what its session did before',
    file: 'src/engine/statements/statements.ts',
    before: "effect === 'catalog' || effect === 'records'",
    after: "effect === 'catalog'",
    test: 'test/unit/engine/statement-order.test.ts',
  },
  {
    what: 'a bound of WINDOWEND is taken for one of WINDOWSTART',
    file: 'src/engine/candidate-rows.ts',
    before: 'upperOf(windowEnd) - sizeMs',
    after: 'upperOf(windowEnd) - 2 * sizeMs',
    test: 'test/unit/engine/pull-ranges.test.ts',
  },
  {
    what: 'a number below 0 is taken as written where its format would write it otherwise',
    file: 'src/formats/written-key.ts',
    before: ' || (negative && !signed)',
    after: '',
    test: 'test/unit/formats/written-key.test.ts',
  },
  {
    what: 'a format says that its bytes hold no names',
    file: 'src/formats/json.ts',
    before: 'namesColumns: true',
    after: 'namesColumns: false',
    test: 'test/unit/formats/every-format.test.ts',
  },
  {
    what: 'a format says that it knows where its columns lie',
    file: 'src/formats/kafka.ts',
    before: 'rawRanges: true',
    after: 'rawRanges: false',
    test: 'test/unit/formats/every-format.test.ts',
  },
  {
    what: 'records beyond what a case expects are let pass',
    file: 'src/test-runner/compare-output.ts',
    before: 'if (expected.length === found.length) return null;',
    after: 'if (expected.length <= found.length) return null;',
    test: 'test/unit/test-runner/run-case.test.ts',
  },
  {
    what: 'fields that a case does not name are let pass',
    file: 'src/test-runner/match-json.ts',
    before: 'if (found.size !== fields.size) return differ();',
    after: '',
    test: 'test/unit/test-runner/match-json.test.ts',
  },
  {
    what: 'a record that missed something is processed twice, the first time in part',
    file: 'src/streams/task/redo.ts',
    before: '      this.#undo();\n      return false;',
    after: '      return false;',
    test: 'test/unit/streams/task/redo.test.ts',
  },
  {
    what: 'a record is processed while state is being loaded for another reader',
    file: 'src/streams/task/redo.ts',
    before: '    if (this.#loading !== null) return false;\n',
    after: '',
    test: 'test/unit/streams/task/redo.test.ts',
  },
  {
    what: 'a commit leaves calls out that are on their way',
    file: 'src/streams/task/task-turn.ts',
    before: '    await this.#async?.deliverAll();\n    for (',
    after: '    for (',
    test: 'test/unit/streams/task/async-processors.test.ts',
  },
  {
    what: 'an application that gets on between failures waits longer and longer',
    file: 'src/streams/application/stepped-streams.ts',
    before: 'if (executor.commits > before) this.#restarts = 0;',
    after: '',
    test: 'test/unit/engine/persistent-query.test.ts',
  },
];
