/** Kafka's jars from Maven Central, each version once into a cache folder. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What tests, benches and tools use where they name no version. */
export const KAFKA_VERSION = '4.4.0';
const SLF4J_VERSION = '1.7.36';
const QUIET = ['-Dorg.slf4j.simpleLogger.defaultLogLevel=error'];

const artifact = (groupId, artifactId, version) =>
  `<dependency><groupId>${groupId}</groupId><artifactId>${artifactId}</artifactId><version>${version}</version></dependency>`;

const pomOf = (version) => `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>millrace</groupId><artifactId>kafka-for-tests</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    ${artifact('org.apache.kafka', 'kafka_2.13', version)}
    ${artifact('org.apache.kafka', 'kafka-tools', version)}
    ${artifact('org.apache.kafka', 'kafka-streams', version)}
    ${artifact('org.slf4j', 'slf4j-simple', SLF4J_VERSION)}
  </dependencies>
</project>
`;

/**
 * Why no broker can be started here, or undefined when one can.
 * @returns {Promise<string | undefined>}
 */
export async function whyNoKafka(version = KAFKA_VERSION) {
  try {
    await run('java', ['-version']);
  } catch {
    return 'Java is not installed (java -version failed)';
  }
  if (existsSync(kafkaDirectory(version))) return undefined;
  try {
    await run('mvn', ['-version']);
  } catch {
    return `Maven is not installed (mvn -version failed), and Kafka ${version} is not in the cache yet`;
  }
  return undefined;
}

function kafkaDirectory(version) {
  const cache = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  return join(cache, 'millrace', `kafka-${version}`);
}

/**
 * The class path of Kafka and its tools, downloaded when first needed. Safe to call from several processes at
 * once: each downloads to a directory of its own, and the first rename wins.
 * @returns {Promise<string>}
 */
export async function kafkaClasspath(version = KAFKA_VERSION) {
  const home = kafkaDirectory(version);
  if (!existsSync(home)) {
    await mkdir(dirname(home), { recursive: true });
    const draft = await mkdtemp(`${home}.`);
    try {
      await writeFile(join(draft, 'pom.xml'), pomOf(version));
      const goal = 'dependency:copy-dependencies';
      const libs = ['-DincludeScope=runtime', `-DoutputDirectory=${join(draft, 'libs')}`];
      await run('mvn', ['-B', '-q', '-f', join(draft, 'pom.xml'), goal, ...libs], { timeout: 600_000 });
      await rename(draft, home);
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      if (!existsSync(home)) throw error;
    }
  }
  return `${join(home, 'libs')}/*`;
}

/**
 * Arguments for `java` that run one of Kafka's tools.
 * @returns {Promise<string[]>}
 */
export async function kafkaTool(mainClass, args, version = KAFKA_VERSION) {
  const jvm = ['-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', ...QUIET];
  return [...jvm, '-cp', await kafkaClasspath(version), mainClass, ...args];
}
