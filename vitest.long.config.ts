import { defineConfig } from 'vitest/config';
import short from './vitest.config.ts';

/** What takes longer than people wait: many kills, several brokers. */
export default defineConfig({
  test: {
    ...short.test,
    include: ['test/long/**/*.test.ts'],
    exclude: [],
    testTimeout: 900_000,
    maxConcurrency: 2,
  },
});
