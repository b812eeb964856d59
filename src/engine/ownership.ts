import { hostname } from 'node:os';
import { must } from '../common/assert.ts';
import type { Clock, Random } from '../common/clock.ts';
import { messageOf, type Span, SqlError } from '../common/error.ts';
import type { Logger } from '../common/logger.ts';
import { type Log, LogError } from '../log/log.ts';
import type { Membership, ProcessInfo } from '../log/membership.ts';
import { ownName } from './reserved-topics.ts';

const RETRY_MS = 1000;

export interface OwnershipOptions {
  readonly log: Log;
  readonly serviceId: string;
  /** Where clients reach this process; null where they cannot. */
  readonly address: string | null;
  readonly sessionTimeoutMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** What there is to own. None of these calls overlap. */
export interface Owned {
  /** Learns what others have done, and keeps them from going on with it. Rejects when it cannot. */
  take(): Promise<void>;
  /** This process is active from now on. Does not wait for what takes long. */
  begin(): void;
  /** Drops what it holds and has not committed: others may have gone on from there. */
  release(): Promise<void>;
}

/** This process cannot go on with what another one has made of its queries. */
export class ChangedElsewhere extends Error {
  override readonly name = 'ChangedElsewhere';

  constructor(queries: readonly string[]) {
    super(
      `another process of the service has run other statements for ${queries.join(', ')}: they don't run here until this one is started again`,
    );
  }
}

/**
 * Which process of a service runs its queries. They share a group of the log, which names one; the others wait and take over.
 * Whatever the group says, the log refuses the writes of all but the last that has begun (transactional ids). So a process
 * whose writes were refused waits until the group has answered it anew: two can't take the queries from each other for ever.
 */
export class Ownership {
  readonly #log: Log;
  readonly #serviceId: string;
  readonly #sessionTimeoutMs: number;
  readonly #process: ProcessInfo;
  readonly #clock: Clock;
  readonly #logger: Logger;
  #membership!: Membership;
  #isActive = false;
  #isFenced = false;
  #owned: Owned | null = null;
  #closed = false;
  #turn: Promise<void> = Promise.resolve();
  #listeners: (() => void)[] = [];

  private constructor({
    log,
    serviceId,
    sessionTimeoutMs,
    address,
    random,
    clock,
    logger,
  }: OwnershipOptions) {
    this.#log = log;
    this.#serviceId = serviceId;
    this.#sessionTimeoutMs = sessionTimeoutMs;
    this.#process = {
      id: Math.floor(random() * 2 ** 48).toString(16),
      label: `process ${process.pid} on host ${hostname()}`,
      address,
    };
    this.#clock = clock;
    this.#logger = logger;
  }

  /** Null where the log has one owner anyway. Throws `LogError` when nothing can be learned of the group. */
  static async open(options: OwnershipOptions): Promise<Ownership | null> {
    const { log, serviceId, sessionTimeoutMs } = options;
    if (log.openMembership === undefined) return null;
    const ownership = new Ownership(options);
    ownership.#membership = await log.openMembership({
      group: ownName(serviceId, 'members'),
      sessionTimeoutMs,
      process: ownership.#process,
      onChange: () => ownership.#changed(),
    });
    ownership.#isActive = ownership.#membership.view.isActive;
    return ownership;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  /** Who runs the queries: a URL, or which process it is; null while nobody is known to. */
  get owner(): string | null {
    const { active } = this.#membership.view;
    return active === null ? null : (active.address ?? active.label);
  }

  /** Since when this process is active, as the group counts; null while it is not. */
  get claim(): number | null {
    return this.#membership.view.claim;
  }

  /** Whom a query commits as: its group is joined by who is active only. Throws `LogError` `fenced` when this one is not. */
  async joinGroup(group: string): Promise<Membership> {
    const { claim } = this.#membership.view;
    if (claim === null) throw new LogError('fenced', 'this process does not run the queries of its service');
    const joined = this.#log.openMembership?.({
      group,
      sessionTimeoutMs: this.#sessionTimeoutMs,
      process: this.#process,
      claim,
      onChange: () => undefined,
    });
    return must(joined);
  }

  /** From now on changes are told to `owned`, and those that there were since `open`. */
  follow(owned: Owned): void {
    this.#owned = owned;
    this.#step();
  }

  /** Clients reach this process there. */
  advertise(address: string): void {
    this.#membership.advertise(address);
  }

  /** The log has refused a write: another process has begun. */
  fenced(): void {
    if (this.#isFenced || this.#closed) return;
    this.#isFenced = true;
    this.#step();
    void this.#membership.confirmed().then(() => {
      this.#isFenced = false;
      this.#step();
    });
  }

  /** Resolves when this process is active: before `follow`, when it may begin. `late` is told after a second, and whenever the owner changes, who is. */
  async untilActive(late?: (owner: string | null) => void): Promise<void> {
    let told: string | null | undefined;
    let isLate = false;
    const isSo = (): boolean => (this.#owned === null ? this.#shouldBeActive : this.#isActive);
    const tell = (): void => {
      if (!isLate || isSo() || this.owner === told) return;
      told = this.owner;
      late?.(told);
    };
    const cancel = this.#clock.setTimer(1000, () => {
      isLate = true;
      tell();
    });
    while (!isSo() && !this.#closed) {
      await new Promise<void>((resolve) => void this.#listeners.push(resolve));
      tell();
    }
    cancel();
    if (this.#owned === null) this.#isActive = this.#shouldBeActive;
  }

  /** Throws `SqlError` ML_WAITING when another process is active. `what` is asked for. */
  check(what: string, span: Span | undefined): void {
    if (!this.#isActive) throw this.refusal(what, span);
  }

  refusal(what: string, span: Span | undefined): SqlError {
    const { owner } = this;
    const runs = `the queries of service ${this.#serviceId} run in another process`;
    return owner === null
      ? new SqlError('ML_WAITING', `${runs}, and which one is being settled`, { span, hint: 'try again' })
      : new SqlError('ML_WAITING', `${runs}, ${owner}: ${what} there`, {
          span,
          hint: 'this one takes over when that one ends',
        });
  }

  /** Others take over at once. Call it when all that is owned is closed. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turn;
    await this.#membership.leave();
    this.#tell();
  }

  #changed(): void {
    this.#step();
    this.#tell();
  }

  get #shouldBeActive(): boolean {
    return this.#membership.view.isActive && !this.#isFenced;
  }

  #step(): void {
    this.#turn = this.#turn.then(() => this.#settle());
  }

  async #settle(): Promise<void> {
    const owned = this.#owned;
    while (owned !== null && !this.#closed && this.#shouldBeActive !== this.#isActive) {
      if (this.#isActive) {
        this.#isActive = false;
        this.#logger.warn(
          { serviceId: this.#serviceId, owner: this.owner },
          'FENCED: the queries run in another process, or that is being settled; what is not committed is dropped',
        );
        await owned.release();
        this.#logger.warn(
          { serviceId: this.#serviceId, owner: this.owner },
          'WAITING: this process takes over again when it is its turn',
        );
      } else {
        try {
          await owned.take();
        } catch (error) {
          if (error instanceof ChangedElsewhere) return this.#giveUp(error);
          this.#logger.warn(
            { error: messageOf(error) },
            'the queries could not be taken over; it is tried again',
          );
          await new Promise<void>((resolve) => void this.#clock.setTimer(RETRY_MS, resolve));
          continue;
        }
        if (!this.#shouldBeActive) continue;
        this.#isActive = true;
        owned.begin();
        this.#logger.info({ serviceId: this.#serviceId }, 'this process runs the queries now');
      }
      this.#tell();
    }
  }

  async #giveUp(error: ChangedElsewhere): Promise<void> {
    this.#closed = true;
    this.#logger.error({ serviceId: this.#serviceId }, error.message);
    await this.#membership.leave();
    this.#tell();
  }

  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }
}
