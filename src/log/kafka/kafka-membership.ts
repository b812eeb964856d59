import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { keepAlive } from '../../common/clock.ts';
import { messageOf } from '../../common/error.ts';
import { LogError } from '../log.ts';
import type {
  GroupMemberId,
  Membership,
  MembershipOptions,
  MembershipView,
  ProcessInfo,
} from '../membership.ts';
import { Coordinator } from './coordinator.ts';
import { describeGroupRequest, leaveGroupRequest } from './group-requests.ts';
import type { KafkaCluster } from './kafka-cluster.ts';
import type { ConnectionOptionsOfLog } from './kafkajs-connections.ts';
import { decodeTable } from './membership-table.ts';
import { type MemberEvent, type MemberRequest, serveMembers } from './member-service.ts';
import { isOfDeadProcess, nameOfProcess } from './process-place.ts';
import { NONE } from './protocol-error.ts';
import { failureOf } from './retry.ts';

const DESCRIBE_TIMEOUT_MS = 60_000;
/** Where the build puts it, beside what it is bundled into. Sources have none: there the members share the thread. */
const PROGRAM = new URL('./member-thread.js', import.meta.url);

const OUTSIDE: MembershipView = { isActive: false, active: null, claim: null, members: [], member: null };

/** The groups that this process is in, all kept by one thread, which begins with the first of them. */
export class KafkaMemberships {
  readonly #connection: ConnectionOptionsOfLog;
  readonly #cluster: KafkaCluster;
  readonly #members = new Map<number, KafkaMembership>();
  readonly #sinceMs: number;
  #port: MessagePort | null = null;
  #worker: Worker | null = null;
  #nextMember = 0;

  /** `cluster`: for questions before there is a thread. */
  constructor(connection: ConnectionOptionsOfLog, cluster: KafkaCluster) {
    const name = nameOfProcess();
    // The broker makes a member's id of it.
    this.#connection =
      name === null ? connection : { ...connection, clientId: `${connection.clientId}-${name}` };
    this.#cluster = cluster;
    this.#sinceMs = cluster.clock.now();
  }

  /** Throws `LogError` `unauthorized` or `unavailable` when nothing can be learned of the group. */
  async open(options: MembershipOptions): Promise<Membership> {
    const { view, isEmpty } = await this.#look(options);
    const number = this.#nextMember++;
    const { group, sessionTimeoutMs, process } = options;
    const membership = new KafkaMembership(
      options,
      view,
      isEmpty,
      this.#sinceMs,
      (make) => this.#post(make(number)),
      () => void this.#members.delete(number),
    );
    this.#members.set(number, membership);
    this.#post({
      kind: 'join',
      member: number,
      options: { group, sessionTimeoutMs, process, claim: view.claim, sinceMs: this.#sinceMs },
    });
    return membership;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#members.values()].map((member) => member.leave()));
    this.#port?.close();
    await this.#worker?.terminate();
  }

  /** What is to be done while it joins. Processes of this machine that have ended are taken out of the group. */
  async #look({ group, claim, process }: MembershipOptions): Promise<FirstLook> {
    const doing = `looking who is in group ${group}`;
    const coordinator = new Coordinator(this.#cluster, 'group', group);
    const active = (since: number): MembershipView => {
      return { ...OUTSIDE, isActive: true, active: process, claim: since };
    };
    return this.#cluster.retry(doing, DESCRIBE_TIMEOUT_MS, async () => {
      const { members } = await coordinator.send(describeGroupRequest(group), ({ code }) => {
        if (code !== NONE) throw failureOf(code, doing);
      });
      const dead = members.filter(({ clientId }) => isOfDeadProcess(clientId));
      if (dead.length > 0) {
        const ids = dead.map(({ memberId }) => memberId);
        await coordinator.send(leaveGroupRequest(group, ids), () => undefined);
      }
      const isEmpty = dead.length === members.length;
      if (isEmpty || claim !== undefined) return { view: active(claim ?? 0), isEmpty };
      const table = decodeTable(members[0]!.assignment);
      const found = table?.members.find(({ memberId }) => memberId === table.active);
      if (found === undefined || dead.some(({ memberId }) => memberId === found.memberId))
        return { view: OUTSIDE, isEmpty };
      const { id, label, address } = found;
      return { view: { ...OUTSIDE, active: { id, label, address } }, isEmpty };
    });
  }

  #post(request: MemberRequest): void {
    (this.#port ??= this.#start()).postMessage(request);
  }

  #start(): MessagePort {
    const { port1, port2 } = new MessageChannel();
    port1.on('message', (event: MemberEvent) => this.#take(event));
    if (existsSync(fileURLToPath(PROGRAM)) && canBeSent(this.#connection))
      this.#worker = this.#startThread(port2);
    else {
      void serveMembers(port2, this.#connection);
      port2.unref();
    }
    port1.unref();
    return port1;
  }

  #startThread(port: MessagePort): Worker {
    const { logger } = this.#cluster;
    const worker = new Worker(PROGRAM, {
      workerData: { port, connection: this.#connection },
      transferList: [port],
    });
    worker.on('error', (error) => {
      logger.error({ error: messageOf(error) }, 'the thread of the groups has failed: it begins anew');
      this.#port?.close();
      this.#port = null;
      this.#worker = null;
      for (const [number, member] of this.#members) this.#post(member.rejoin(number));
    });
    worker.unref();
    return worker;
  }

  #take(event: MemberEvent): void {
    if (event.kind === 'logged') {
      this.#cluster.logger[event.level](event.fields, event.message);
      return;
    }
    const member = this.#members.get(event.member);
    switch (event.kind) {
      case 'changed':
        member?.changed(event.view);
        break;
      case 'confirmed':
        member?.confirmedUpTo(event.id);
        break;
      case 'left':
        member?.left();
        break;
    }
  }
}

/** A program may have given functions to log in with, which stay in the thread that they are of. */
function canBeSent(connection: ConnectionOptionsOfLog): boolean {
  try {
    structuredClone(connection);
    return true;
  } catch {
    return false;
  }
}

interface FirstLook {
  readonly view: MembershipView;
  /** Whether nobody was in the group. */
  readonly isEmpty: boolean;
}

class KafkaMembership implements Membership {
  readonly #options: MembershipOptions;
  readonly #sinceMs: number;
  readonly #post: (make: (member: number) => MemberRequest) => void;
  readonly #forget: () => void;
  #process: ProcessInfo;
  #view: MembershipView;
  /** Whether nobody who was in the group before can commit to it any more. */
  #isSettled: boolean;
  /** The group has taken it for dead at least once: others may have done its work since. */
  #isOut = false;
  #waiting: (() => void)[] = [];
  readonly #confirms = new Map<number, () => void>();
  #nextConfirm = 0;
  #leaving: Promise<void> | null = null;
  #left = (): void => undefined;

  constructor(
    options: MembershipOptions,
    view: MembershipView,
    isEmpty: boolean,
    sinceMs: number,
    post: (make: (member: number) => MemberRequest) => void,
    forget: () => void,
  ) {
    this.#options = options;
    this.#process = options.process;
    this.#sinceMs = sinceMs;
    this.#post = post;
    this.#forget = forget;
    this.#view = view;
    this.#isSettled = isEmpty;
  }

  get view(): MembershipView {
    return this.#view;
  }

  advertise(address: string): void {
    if (address === this.#process.address) return;
    this.#process = { ...this.#process, address };
    const { process } = this;
    this.#post((member) => ({ kind: 'describe', member, process }));
  }

  get process(): ProcessInfo {
    return this.#process;
  }

  confirmed(): Promise<void> {
    const id = this.#nextConfirm++;
    return new Promise((resolve) => {
      this.#confirms.set(id, resolve);
      this.#post((member) => ({ kind: 'confirm', member, id }));
    });
  }

  async ready(): Promise<void> {
    if (this.#isSettled && !this.#isOut) return;
    await this.member();
    this.#isSettled = true;
  }

  async member(): Promise<GroupMemberId> {
    for (;;) {
      const { member, isActive } = this.#view;
      if (this.#isOut || this.#leaving !== null || (member !== null && !isActive))
        throw new LogError('fenced', `another process commits to group ${this.#options.group}`);
      if (member !== null) return member;
      await new Promise<void>((resolve) => void this.#waiting.push(resolve));
    }
  }

  leave(): Promise<void> {
    return (this.#leaving ??= new Promise((resolve) => {
      const letGo = keepAlive();
      this.#left = () => {
        letGo();
        this.#forget();
        for (const confirmed of this.#confirms.values()) confirmed();
        resolve();
      };
      this.#tellWaiting();
      this.#post((member) => ({ kind: 'leave', member }));
    }));
  }

  #tellWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }

  /** The thread has ended. What asks a new one for the same: as a member that waits. */
  rejoin(member: number): MemberRequest {
    if (this.#leaving !== null) {
      this.#left();
      return { kind: 'leave', member };
    }
    this.changed(OUTSIDE);
    const { group, sessionTimeoutMs } = this.#options;
    const options = { group, sessionTimeoutMs, process: this.#process, claim: null };
    return { kind: 'join', member, options: { ...options, sinceMs: this.#sinceMs } };
  }

  changed(view: MembershipView): void {
    if (this.#leaving !== null) return;
    this.#isOut ||= view.member === null;
    this.#view = view;
    this.#options.onChange(view);
    this.#tellWaiting();
  }

  confirmedUpTo(id: number): void {
    this.#confirms.get(id)?.();
    this.#confirms.delete(id);
  }

  left(): void {
    this.#left();
  }
}
