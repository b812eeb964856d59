import { afterEach, expect, test } from 'vitest';
import { systemClock } from '../../src/common/clock.ts';
import { silentLogger } from '../../src/common/logger.ts';
import { openKafkaLog } from '../../src/log/kafka/open-kafka-log.ts';
import type { Log } from '../../src/log/log.ts';
import type { Membership, MembershipView } from '../../src/log/membership.ts';
import { removeMember } from '../harness/group-members.ts';
import { describeKafka, uniqueName } from '../harness/kafka.ts';
import { until } from '../harness/until.ts';

describeKafka('a group that says who is active', (address) => {
  const logs: Log[] = [];
  afterEach(async () => {
    await Promise.all(logs.splice(0).map((log) => log.close()));
  });

  interface Joined {
    readonly membership: Membership;
    readonly views: MembershipView[];
    readonly log: Log;
  }

  async function join(group: string, id: string, claim?: number): Promise<Joined> {
    const log = await openKafkaLog({
      brokers: [address],
      clientId: id,
      clock: systemClock,
      logger: silentLogger,
    });
    logs.push(log);
    const views: MembershipView[] = [];
    const membership = await log.openMembership!({
      group,
      sessionTimeoutMs: 2000,
      process: { id, label: `process ${id}`, address: `http://${id}` },
      ...(claim === undefined ? {} : { claim }),
      onChange: (view) => void views.push(view),
    });
    return { membership, views, log };
  }

  test('the first is active before it has joined, others wait and take over in turn', async () => {
    const group = uniqueName('owners');
    const a = await join(group, 'a');
    expect(a.membership.view).toMatchObject({ isActive: true, claim: 0, member: null });
    await until(() => a.membership.view.member !== null);
    expect(a.membership.view).toMatchObject({ isActive: true, claim: 0 });

    const b = await join(group, 'b');
    expect(b.membership.view).toMatchObject({ isActive: false, active: { id: 'a' }, member: null });
    await until(() => b.membership.view.member !== null && a.membership.view.members.length === 2);
    expect(b.membership.view).toMatchObject({ isActive: false, active: { id: 'a', address: 'http://a' } });
    expect(a.membership.view.isActive).toBe(true);
    expect(a.views.every(({ isActive }) => isActive)).toBe(true);

    a.membership.advertise('http://elsewhere');
    await until(() => b.membership.view.active?.address === 'http://elsewhere');
    await b.membership.confirmed();
    expect(b.membership.view.isActive).toBe(false);

    await a.membership.leave();
    await until(() => b.membership.view.isActive);
    expect(b.membership.view.claim).toBeGreaterThan(0);
    await b.membership.leave();
    const c = await join(group, 'c');
    expect(c.membership.view).toMatchObject({ isActive: true, claim: 0 });
  });

  test('two that begin together agree on one', async () => {
    const group = uniqueName('together');
    const [a, b] = await Promise.all([join(group, 'a'), join(group, 'b')]);
    const settled = ({ membership: { view } }: Joined): boolean => view.members.length === 2;
    await until(() => settled(a) && settled(b));
    expect([a, b].filter(({ membership }) => membership.view.isActive)).toHaveLength(1);
    expect(a.membership.view.active).toEqual(b.membership.view.active);
  });

  test('who is taken for dead is told so, joins again and waits', async () => {
    const group = uniqueName('silent');
    const a = await join(group, 'a');
    await until(() => a.membership.view.member !== null);
    const b = await join(group, 'b');
    await until(() => b.membership.view.members.length === 2);
    // As the broker does with a member whose session has run out.

    await removeMember(address, group, a.membership.view.member!.id);
    await a.membership.confirmed();
    await until(() => b.membership.view.isActive && a.membership.view.active?.id === 'b');
    expect(a.views.some(({ member, isActive }) => member === null && !isActive)).toBe(true);
    expect(a.membership.view.isActive).toBe(false);
  });

  test('a lone one that was taken for dead is made active again', async () => {
    const group = uniqueName('alone');
    const a = await join(group, 'a');
    await until(() => a.membership.view.member !== null);

    await removeMember(address, group, a.membership.view.member!.id);
    await a.membership.confirmed();
    await until(() => a.membership.view.isActive);
    expect(a.views.some(({ isActive }) => !isActive)).toBe(true);
  });
  test('offsets of a member in whose place another one is are refused, with those that were on their way', async () => {
    const group = uniqueName('commits');
    const topic = uniqueName('commits');
    const a = await join(group, 'a', 1);
    await a.log.admin.createTopic({ name: topic, partitions: 1 });
    const commit = ({ log }: Joined, offset: number, member: Membership) =>
      log.openWriter({ group, member }).then(async (writer) => {
        await writer.commit([{ topic, partition: 0, offset, metadata: '' }]);
      });
    await commit(a, 1, a.membership);
    // Who is no member may not.
    const writer = await a.log.openWriter({ group });
    await expect(writer.commit([{ topic, partition: 0, offset: 7, metadata: '' }])).rejects.toMatchObject({
      kind: 'fenced',
    });

    const b = await join(group, 'b', 2);
    await commit(b, 2, b.membership);
    await until(() => a.membership.view.members.length === 2);
    await expect(commit(a, 3, a.membership)).rejects.toMatchObject({ kind: 'fenced' });
    // As a process would that slept, and knows nothing of it.
    const stale = {
      ready: () => Promise.resolve(),
      member: () => Promise.resolve({ id: 'x', generation: 1 }),
    };
    await expect(commit(a, 3, { ...a.membership, ...stale } as Membership)).rejects.toMatchObject({
      kind: 'fenced',
    });
    expect(await b.log.admin.committed(group)).toMatchObject([{ offset: 2 }]);

    // Once it was taken for dead others may have committed: it is of no more use, though it be the only one again.
    await removeMember(address, group, b.membership.view.member!.id);
    await b.membership.confirmed();
    await expect(b.membership.member()).rejects.toMatchObject({ kind: 'fenced' });
  });
});
