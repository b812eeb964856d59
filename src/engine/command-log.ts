import { must } from '../common/assert.ts';
import type { Log, LogWriter } from '../log/log.ts';
import { ownName } from './reserved-topics.ts';
import type { Script } from './script.ts';

/** A statement that changed the catalog, as it was executed. Replayed in order when the engine opens. */
export interface Command {
  readonly version: 1;
  readonly statement: string;
  /** The session's properties then. */
  readonly properties: Readonly<Record<string, string>>;
  /** The number that names made from it (`CTAS_X_<n>`). */
  readonly sequence: number;
}

/**
 * The statements that made the catalog, in a topic of the log: `_millrace_<service id>_command_topic`, one
 * partition, never deleted from. Replaying it brings back streams, tables, types and running queries.
 */
export class CommandLog {
  readonly #log: Log;
  readonly topic: string;
  readonly #writer: LogWriter;

  private constructor(log: Log, topic: string, writer: LogWriter) {
    this.#log = log;
    this.topic = topic;
    this.#writer = writer;
  }

  static async open(log: Log, serviceId: string): Promise<CommandLog> {
    const topic = ownName(serviceId, 'command_topic');
    await log.admin.createTopic({
      name: topic,
      partitions: 1,
      configs: { 'cleanup.policy': 'delete', 'retention.ms': '-1', 'retention.bytes': '-1' },
    });
    return new CommandLog(log, topic, await log.openWriter());
  }

  /** All commands, oldest first. A command of a later version stops the replay with an error that says so. */
  async read(): Promise<readonly Command[]> {
    const { start, end } = must((await this.#log.admin.offsets(this.topic))[0]);
    const commands: Command[] = [];
    const reader = this.#log.openReader();
    const partition = { topic: this.topic, partition: 0 };
    try {
      reader.assign({ ...partition, offset: start });
      while (reader.position(partition) < end) {
        for (const batch of await reader.poll(200)) {
          for (let i = batch.first; i < batch.count; i++) {
            commands.push(this.#parse(batch.buffer.toString('utf8', batch.valueStart[i], batch.valueEnd[i])));
          }
        }
      }
    } finally {
      await reader.close();
    }
    return commands;
  }

  #parse(text: string): Command {
    let command: Partial<Command> | null;
    try {
      command = JSON.parse(text) as Partial<Command> | null;
    } catch {
      command = null;
    }
    if (typeof command?.statement !== 'string')
      throw new Error(
        `the command topic ${this.topic} holds a record that is no command: ${text.slice(0, 100)}`,
      );
    if (command.version !== 1)
      throw new Error(
        `the command topic ${this.topic} was written by a later release (version ${String(command.version)})`,
      );
    return command as Command;
  }

  /** Resolves when the command is in the log, in one step with the progress of the script it belongs to. */
  async append(command: Command, nowMs: number, script: Script | undefined): Promise<void> {
    const value = Buffer.from(JSON.stringify(command));
    const writer = script?.writer ?? this.#writer;
    writer
      .appender({ topic: this.topic, partition: 0 })
      .append(nowMs, value, -1, -1, value, 0, value.length, null);
    await (script === undefined ? writer.flush() : script.commit());
  }

  async close(): Promise<void> {
    await this.#writer.close();
  }
}
