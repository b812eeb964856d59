import { mergedPartitionsTests } from '../../harness/merged-partitions.ts';
import { openEngine } from '../../harness/open-engine.ts';

mergedPartitionsTests(
  () => openEngine(),
  (name) => name,
);
