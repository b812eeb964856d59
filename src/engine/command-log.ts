import { must } from '../common/assert.ts';
import { appendRecord } from '../log/append-record.ts';
import { type Log, LogError, type LogWriter } from '../log/log.ts';
import { type Command, encodeCommand, type LoggedCommand, readCommand } from './command.ts';
import { ownName } from './reserved-topics.ts';
import { readRecords } from './read-records.ts';
import type { ScriptProgress } from './script.ts';
import { encodeSnapshotKey, readSnapshotKey, SNAPSHOT_FORMAT, type SnapshotKey } from './snapshot-key.ts';

/** The content of the topic: the commands that count, in order. */
export interface ReadCommands {
  readonly commands: readonly LoggedCommand[];
  /** No name is made from a number below. */
  readonly sequence: number;
}

const NOTHING = Buffer.alloc(0);

/**
 * The statements that made the catalog, in a topic of the log: `_millrace_<service id>_command_topic`, one
 * partition, without retention. Replaying it brings back streams, tables, types and running queries. `compact` puts
 * a snapshot in the place of what it says.
 */
export class CommandLog {
  readonly #log: Log;
  readonly topic: string;
  readonly #transactionalId: string;
  /** Whether the service's other processes may not write. */
  #isOwned = false;
  #writer: LogWriter | null = null;

  private constructor(log: Log, topic: string, transactionalId: string) {
    this.#log = log;
    this.topic = topic;
    this.#transactionalId = transactionalId;
  }

  static async open(log: Log, serviceId: string, replicas = -1): Promise<CommandLog> {
    const topic = ownName(serviceId, 'command_topic');
    await log.admin.createTopic({
      name: topic,
      partitions: 1,
      replicas,
      configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
    });
    return new CommandLog(log, topic, ownName(serviceId, 'command'));
  }

  /** Nobody else can write from now on. What is read afterwards is all there will be but for what is appended here. */
  async own(): Promise<void> {
    this.#isOwned = true;
    await this.ownedWriter();
  }

  /** Another process may write from now on. */
  async disown(): Promise<void> {
    this.#isOwned = false;
    await this.#closeWriter();
  }

  /** The writer, or a new one in the place of one that has failed. Throws `LogError` `fenced` when others may write. */
  async ownedWriter(): Promise<LogWriter> {
    if (!this.#isOwned) throw new LogError('fenced', 'another process writes the commands');
    const writer = (this.#writer ??= await this.#log.openWriter({ transactionalId: this.#transactionalId }));
    if (this.#isOwned) return writer;
    await this.#closeWriter();
    return this.ownedWriter();
  }

  async #closeWriter(): Promise<void> {
    const writer = this.#writer;
    this.#writer = null;
    await writer?.close();
  }

  /** All commands, oldest first, and whatever else is there. */
  async read(): Promise<ReadCommands> {
    const reading = new CommandReading();
    await readRecords(this.#log, this.topic, (offset, key, value) =>
      reading.add(offset, key, value ?? NOTHING),
    );
    return reading;
  }

  /**
   * Resolves to the command's id when it is in the log, in one step with the progress of the script that it belongs to.
   * Throws `LogError` `fenced` when another process writes by now. After any error `own` and `read` say what there is.
   */
  async append(command: Command, nowMs: number, progress: ScriptProgress | null): Promise<number> {
    const value = encodeCommand(command);
    const append = async (): Promise<number> => {
      const writer = progress?.writer ?? (await this.ownedWriter());
      this.#add(writer, nowMs, null, value);
      await (progress === null ? this.#commit(writer) : progress.commit());
      return writer.endOffset({ topic: this.topic, partition: 0 }) - 1;
    };
    return append().catch((error: unknown) => {
      // Brokers forget a writer that was idle for a week. Nothing of it is in the log.
      if (error instanceof LogError && error.kind === 'transaction-aborted') return append();
      throw error;
    });
  }

  /**
   * Puts `commands` in the place of all that is in the topic; nothing may be appended meanwhile. What was there is
   * deleted when the snapshot is acknowledged: until then it counts, and the beginnings of a snapshot do not.
   */
  async compact(commands: readonly LoggedCommand[], sequence: number, nowMs: number): Promise<void> {
    const covers = must((await this.#log.admin.offsets(this.topic))[0]).end;
    const snapshot = `${covers}.${nowMs}`;
    const writer = await this.ownedWriter();
    const add = (key: SnapshotKey, value: Buffer | null): void =>
      this.#add(writer, nowMs, encodeSnapshotKey(key), value);
    const appender = writer.appender({ topic: this.topic, partition: 0 });
    const mark = appender.mark();
    const { length } = commands;
    try {
      add({ part: 'begin', snapshot, format: SNAPSHOT_FORMAT, covers, commands: length, sequence }, null);
      for (const { id, value } of commands) add({ part: 'command', snapshot, id }, value);
      add({ part: 'end', snapshot }, null);
    } catch (error) {
      appender.rollback(mark);
      throw error;
    }
    await this.#commit(writer);
    await this.#log.admin.deleteRecords({ topic: this.topic, partition: 0, offset: covers });
  }

  async #commit(writer: LogWriter): Promise<void> {
    if (!writer.flushStaysHidden) return writer.flush();
    try {
      await writer.commit([]);
    } catch (error) {
      // It may be of no more use.
      await this.#closeWriter();
      throw error;
    }
  }

  #add(writer: LogWriter, nowMs: number, key: Buffer | null, value: Buffer | null): void {
    appendRecord(writer, { topic: this.topic, partition: 0 }, { timestamp: nowMs, key, value });
  }

  async close(): Promise<void> {
    await this.disown();
  }
}

/** Goes through the topic's records from the first to the last. */
class CommandReading implements ReadCommands {
  commands: LoggedCommand[] = [];
  sequence = 0;
  /** The offset of each of `commands`. */
  #offsets: number[] = [];
  #snapshot: (SnapshotKey & { readonly part: 'begin' }) | null = null;
  #copies: { readonly offset: number; readonly copy: LoggedCommand }[] = [];
  /** Snapshots in a format of later releases: what can be read of them is taken as it comes. */
  readonly #foreign = new Set<string>();

  add(offset: number, keyBytes: Buffer | null, value: Buffer): void {
    const key = keyBytes === null ? null : readSnapshotKey(keyBytes);
    switch (key?.part) {
      case undefined:
        this.#take(offset, readCommand(offset, value));
        break;
      case 'begin':
        this.#snapshot = null;
        this.#copies = [];
        if (key.format === SNAPSHOT_FORMAT) {
          this.#snapshot = key;
          break;
        }
        this.#foreign.add(key.snapshot);
        this.#take(offset, {
          ...readCommand(offset, value),
          fault: `a snapshot was written by a later release (format ${key.format})`,
        });
        break;
      case 'command': {
        const copy = readCommand(key.id, value);
        if (this.#snapshot?.snapshot === key.snapshot) this.#copies.push({ offset, copy });
        else if (this.#foreign.has(key.snapshot)) this.#take(offset, copy);
        break;
      }
      case 'end':
        if (this.#snapshot?.snapshot === key.snapshot && this.#copies.length === this.#snapshot.commands)
          this.#complete(this.#snapshot);
        this.#snapshot = null;
        break;
    }
  }

  #take(offset: number, command: LoggedCommand): void {
    this.commands.push(command);
    this.#offsets.push(offset);
  }

  #complete({ covers, sequence }: SnapshotKey & { readonly part: 'begin' }): void {
    const covered = this.#offsets.findIndex((offset) => offset >= covers);
    const since = covered < 0 ? this.commands.length : covered;
    this.commands = [...this.#copies.map(({ copy }) => copy), ...this.commands.slice(since)];
    this.#offsets = [...this.#copies.map(({ offset }) => offset), ...this.#offsets.slice(since)];
    this.sequence = Math.max(this.sequence, sequence);
  }
}
