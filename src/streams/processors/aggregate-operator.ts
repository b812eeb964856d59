import type { StateStore } from '../../state/store.ts';
import type { ProcessorContext } from '../topology/processor.ts';
import type { Aggregation } from './aggregate.ts';
import { type ChangeOptions, type Changes, openChanges } from './changes.ts';
import type { ChangedRows } from './held-keys.ts';
import { OperatorOf } from './operator.ts';

/** What all aggregates are told. */
export interface AggregateOptions extends Aggregation, ChangeOptions {
  /** The store of states. */
  readonly store: string;
}

/** What all aggregates have: a store of states, and changes of it that are sent on, at once or when it is committed. */
export abstract class AggregateOperator<
  Options extends AggregateOptions,
  Store extends StateStore,
> extends OperatorOf<Options> {
  protected store!: Store;
  protected changes!: Changes;

  override init(context: ProcessorContext): void {
    super.init(context);
    this.store = context.store(this.options.store) as Store;
    this.changes = openChanges(context, this.options, this.changedRows());
  }

  /** The store, where every change that is told of is one of a row of it. */
  protected changedRows(): ChangedRows | undefined {
    return undefined;
  }

  flush(): void {
    this.changes.flush();
  }
}
