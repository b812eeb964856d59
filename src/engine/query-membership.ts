import { LogError } from '../log/log.ts';
import type { GroupCommitter, GroupMemberId, Membership } from '../log/membership.ts';

/**
 * Whom a query commits its offsets as that has no transactions: a member of the query's own group, so that the commits of a
 * process in whose place another one is are refused.
 */
export class QueryMembership implements GroupCommitter {
  readonly #open: () => Promise<Membership>;
  #membership: Promise<Membership> | null = null;

  /** `open` joins the group, or throws `LogError` `fenced` when this process should not. */
  constructor(open: () => Promise<Membership>) {
    this.#open = open;
  }

  async ready(): Promise<void> {
    const joined = (this.#membership ??= this.#open());
    try {
      await (await joined).ready();
    } catch (error) {
      if (this.#membership === joined) await this.leave();
      throw error;
    }
  }

  async member(): Promise<GroupMemberId> {
    const membership = await this.#membership;
    if (membership === null) throw new LogError('fenced', 'this process has left the group of the query');
    return membership.member();
  }

  /** The next `ready` joins anew. */
  async leave(): Promise<void> {
    const joined = this.#membership;
    this.#membership = null;
    const membership = await joined?.catch(() => undefined);
    await membership?.leave();
  }
}
