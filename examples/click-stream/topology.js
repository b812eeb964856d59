import { JoinWindows, Serdes } from 'millrace/streams';

const profiles = [
  ['u1', { name: 'Ann' }],
  ['u2', { name: 'Bob' }],
];
const clicks = [
  ['u1', { page: '/home' }, 1000],
  ['u2', { page: '/cart' }, 2000],
  ['u3', { page: '/home' }, 3000],
  ['u1', { page: '/search' }, 9000],
  ['u1', { page: '/late' }, 20_000],
];
const searches = [
  ['u1', { terms: 'lamp' }, 1400],
  ['u2', { terms: 'chair' }, 3500],
  ['u1', { terms: 'rug' }, 9000],
  ['u1', { terms: 'end' }, 30_000],
];

/** Clicks with the profile of who clicked, and with what they searched for within the second after. */
export const example = {
  inputTopics: { profiles: 1, clicks: 1, searches: 1 },
  outputTopics: { 'enriched-clicks': 1 },
  *input() {
    for (const [key, value] of profiles) yield { topic: 'profiles', key, value, timestamp: 0 };
    for (const [key, value, timestamp] of clicks) yield { topic: 'clicks', key, value, timestamp };
    for (const [key, value, timestamp] of searches) yield { topic: 'searches', key, value, timestamp };
  },
  build(builder) {
    const json = { keySerde: Serdes.string, valueSerde: Serdes.json() };
    const withProfile = builder
      .stream('clicks', json)
      .leftJoin(builder.table('profiles', json), ({ page }, profile) => ({
        page,
        name: profile?.name ?? null,
      }));
    withProfile
      .leftJoin(
        builder.stream('searches', json),
        ({ page, name }, search) => ({ page, name, terms: search?.terms ?? null }),
        JoinWindows.ofTimeDifferenceWithNoGrace(1000).before(0),
        json,
      )
      .to('enriched-clicks', json);
  },
};
