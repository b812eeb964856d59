import { expect, test } from 'vitest';
import { ManualClock } from '../../../src/common/clock.ts';
import { silentLogger } from '../../../src/common/logger.ts';
import { type Owned, Ownership } from '../../../src/engine/ownership.ts';
import type { Log } from '../../../src/log/log.ts';
import type { MembershipOptions, MembershipView, ProcessInfo } from '../../../src/log/membership.ts';

const OTHER: ProcessInfo = { id: 'other', label: 'process 2 on host b', address: 'http://b' };

/** A group whose answers the test gives. */
class FakeGroup {
  readonly confirms: (() => void)[] = [];
  left = false;
  options!: MembershipOptions;
  view: MembershipView = this.#view(true);

  #view(isActive: boolean): MembershipView {
    const active = isActive ? null : OTHER;
    return { isActive, active, claim: isActive ? 1 : null, members: [], member: null };
  }

  readonly log = {
    openMembership: (options: MembershipOptions) => {
      this.options = options;
      // eslint-disable-next-line @typescript-eslint/no-this-alias
      const group = this;
      return Promise.resolve({
        get view() {
          return group.view;
        },
        advertise: () => undefined,
        confirmed: () => new Promise<void>((resolve) => void group.confirms.push(resolve)),
        leave: () => {
          group.left = true;
          return Promise.resolve();
        },
      });
    },
  } as unknown as Log;

  says(isActive: boolean): void {
    this.view = this.#view(isActive);
    this.options.onChange(this.view);
  }
}

async function open(group: FakeGroup, fails = 0) {
  const clock = new ManualClock();
  const done: string[] = [];
  const owned: Owned = {
    take: () => {
      done.push('take');
      return fails-- > 0 ? Promise.reject(new Error('away')) : Promise.resolve();
    },
    begin: () => void done.push('begin'),
    release: () => {
      done.push('release');
      return Promise.resolve();
    },
  };
  const ownership = (await Ownership.open({
    log: group.log,
    serviceId: 's',
    address: null,
    sessionTimeoutMs: 10_000,
    clock,
    random: () => 0.5,
    logger: silentLogger,
  }))!;
  return { ownership, owned, done, clock };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('what is owned is dropped when another process is active, and taken when that has ended', async () => {
  const group = new FakeGroup();
  const { ownership, owned, done } = await open(group);
  ownership.follow(owned);
  await settled();
  expect([ownership.isActive, done]).toEqual([true, []]);
  ownership.check('ask', undefined);
  group.says(false);
  await settled();
  expect([ownership.isActive, done]).toEqual([false, ['release']]);
  expect(() => ownership.check('ask', undefined)).toThrow(
    'the queries of service s run in another process, http://b: ask there',
  );
  group.says(true);
  await settled();
  expect([ownership.isActive, done]).toEqual([true, ['release', 'take', 'begin']]);
  await ownership.close();
  expect(group.left).toBe(true);
});

test('who was fenced takes nothing before the group has answered anew', async () => {
  const group = new FakeGroup();
  const { ownership, owned, done } = await open(group);
  ownership.follow(owned);
  ownership.fenced();
  ownership.fenced();
  await settled();
  // The group still says that it should, but that is from before.
  expect([ownership.isActive, done, group.confirms.length]).toEqual([false, ['release'], 1]);
  group.says(true);
  await settled();
  expect(done).toEqual(['release']);
  group.confirms[0]!();
  await settled();
  expect([ownership.isActive, done]).toEqual([true, ['release', 'take', 'begin']]);
});

test('a change before there was anything to own is not lost', async () => {
  const group = new FakeGroup();
  const { ownership, owned, done } = await open(group);
  group.says(false);
  expect(ownership.isActive).toBe(true);
  ownership.follow(owned);
  await settled();
  expect([ownership.isActive, done]).toEqual([false, ['release']]);
});

test('what cannot be taken yet is tried again', async () => {
  const group = new FakeGroup();
  group.view = { ...group.view, isActive: false };
  const { ownership, owned, done, clock } = await open(group, 1);
  ownership.follow(owned);
  group.says(true);
  await settled();
  expect([ownership.isActive, done]).toEqual([false, ['take']]);
  clock.advance(1000);
  await settled();
  expect([ownership.isActive, done]).toEqual([true, ['take', 'take', 'begin']]);
});

test('a script waits, and says for whom after a second', async () => {
  const group = new FakeGroup();
  group.view = { ...group.view, isActive: false, active: OTHER };
  const { ownership, clock } = await open(group);
  const told: (string | null)[] = [];
  let begun = false;
  const waited = ownership.untilActive((owner) => void told.push(owner)).then(() => (begun = true));
  clock.advance(999);
  expect(told).toEqual([]);
  clock.advance(1);
  expect(told).toEqual(['http://b']);
  group.says(false);
  await settled();
  expect([told, begun]).toEqual([['http://b'], false]);
  group.says(true);
  await waited;
  expect([ownership.isActive, told]).toEqual([true, ['http://b']]);
});
