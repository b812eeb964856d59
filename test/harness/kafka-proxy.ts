import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { startKafka } from '../../scripts/kafka.js';
import type { Kafka, KafkaOptions } from '../../scripts/kafka.js';

/** Keys of Kafka's requests (https://kafka.apache.org/protocol#protocol_api_keys). */
export const API = {
  produce: 0,
  fetch: 1,
  listOffsets: 2,
  metadata: 3,
  offsetCommit: 8,
  offsetFetch: 9,
  findCoordinator: 10,
  joinGroup: 11,
  heartbeat: 12,
  apiVersions: 18,
  initProducerId: 22,
  addPartitionsToTxn: 24,
  addOffsetsToTxn: 25,
  endTxn: 26,
  txnOffsetCommit: 28,
} as const;

/** One request as it came, without the four bytes of its length. */
export interface RequestFrame {
  readonly apiKey: number;
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string;
  readonly bytes: Buffer;
  /** Where the header's client id ends; from version to version a tag section follows before the body. */
  readonly bodyStart: number;
}

export interface Which {
  readonly apiKey: number;
  readonly clientId?: string;
  readonly where?: (frame: RequestFrame) => boolean;
  /** How many that match are let pass first; 0 unless said. */
  readonly skip?: number;
  /** How many are treated so; all that come unless said. */
  readonly times?: number;
}

/**
 * What happens to a request:
 * - `hold`: it waits before the broker until `release`, and so does all that follows on its connection. It reaches the
 *   broker even when its sender is dead by then.
 * - `holdAnswer`: the broker has done it; the answer waits until `release`, and the answers after it.
 * - `dropAnswer`: the broker has done it, the answer is thrown away and the connection closed.
 * - `swallowAnswer`: the same, and the connection stays: the sender waits until it is tired of it.
 * - `blackHole`: it never reaches the broker, and nothing is said.
 * - `duplicate`: it is done and answered, and `afterMs` later it comes to the broker again on a connection of its own; the
 *   answer to that is kept in `repeatAnswers`.
 * - `delay`: it, and what follows on its connection, comes `afterMs` later.
 * - `amend`: the broker has done it; the answer's body becomes what `with(frame, body)` makes of it.
 * - `answer`: the broker never sees it; the answer's body (what follows the correlation id) is `with(frame)`.
 */
export type Action =
  | { readonly do: 'hold' | 'holdAnswer' | 'dropAnswer' | 'swallowAnswer' | 'blackHole' }
  | { readonly do: 'duplicate' | 'delay'; readonly afterMs: number }
  | { readonly do: 'amend'; readonly with: (frame: RequestFrame, body: Buffer) => Buffer }
  | { readonly do: 'answer'; readonly with: (frame: RequestFrame) => Buffer };

/** A rule under way. */
export class Rule {
  readonly which: Which;
  readonly action: Action;
  /** The requests that were treated so, oldest first. */
  readonly hits: RequestFrame[] = [];
  /** Bodies of the answers to repeated requests: what follows the correlation id. */
  readonly repeatAnswers: Buffer[] = [];
  #matched = 0;
  #removed = false;
  #released = false;
  readonly #onRelease: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(which: Which, action: Action) {
    this.which = which;
    this.action = action;
  }

  /** Whether the rule treats this request; it counts then. */
  takes(frame: RequestFrame): boolean {
    const { apiKey, clientId, where, skip = 0, times = Infinity } = this.which;
    if (this.#removed || frame.apiKey !== apiKey) return false;
    if (clientId !== undefined && frame.clientId !== clientId) return false;
    if (where !== undefined && !where(frame)) return false;
    if (this.#matched++ < skip || this.hits.length >= times) return false;
    this.hits.push(frame);
    this.changed();
    return true;
  }

  /** Resolves when `count` requests have been treated. */
  hit(count = 1): Promise<void> {
    return this.#until(() => this.hits.length >= count);
  }

  /** Resolves when `count` repeated requests have been answered. */
  repeated(count = 1): Promise<void> {
    return this.#until(() => this.repeatAnswers.length >= count);
  }

  /** Lets go what is held, and holds nothing from now on. */
  release(): void {
    this.#released = true;
    this.#removed = true;
    for (const go of this.#onRelease.splice(0)) go();
  }

  /** Treats nothing from now on; what is held stays so. */
  remove(): void {
    this.#removed = true;
  }

  whenReleased(go: () => void): void {
    if (this.#released) go();
    else this.#onRelease.push(go);
  }

  changed(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

/** A TCP proxy before brokers that knows where requests and answers begin and end. Rules are asked in order; the first that takes a request treats it. */
export class KafkaProxy {
  /** `host:port,…` of all that the proxy stands before. */
  readonly address: string;
  readonly ports: readonly number[];
  /** Where each port leads to, once that is known. */
  targets: readonly number[] = [];
  /** Every request that came, oldest first, when asked to keep them. */
  readonly seen: RequestFrame[] = [];
  keepSeen = false;
  readonly #servers: readonly Server[];
  readonly #rules: Rule[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #clients = new Set<Socket>();
  #closed = false;

  static async listen(count = 1): Promise<KafkaProxy> {
    const servers = Array.from({ length: count }, () => createServer());
    for (const server of servers)
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
      });
    return new KafkaProxy(servers);
  }

  private constructor(servers: readonly Server[]) {
    this.#servers = servers;
    this.ports = servers.map((server) => (server.address() as AddressInfo).port);
    this.address = this.ports.map((port) => `127.0.0.1:${port}`).join(',');
    for (const [index, server] of servers.entries())
      server.on('connection', (client) => this.#pass(client, index));
  }

  on(which: Which, action: Action): Rule {
    const rule = new Rule(which, action);
    this.#rules.push(rule);
    return rule;
  }

  /** Forgets all rules; what they hold is let go. */
  reset(): void {
    for (const rule of this.#rules.splice(0)) rule.release();
  }

  /** Sends a request to the broker again, on a connection of its own; the body of the answer. */
  repeat(frame: RequestFrame, index = 0): Promise<Buffer> {
    const broker = this.open(index);
    const splitter = new FrameSplitter();
    return new Promise((resolve) => {
      broker.on('data', (chunk) => {
        for (const answer of splitter.push(chunk as Buffer)) {
          resolve(answer.subarray(4));
          broker.destroy();
        }
      });
      broker.write(framed(frame.bytes));
    });
  }

  /** Closes every connection of clients. What is held still comes to the broker. */
  cut(): void {
    for (const client of this.#clients) client.destroy();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all(this.#servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  ruleFor(frame: RequestFrame): Rule | undefined {
    if (this.keepSeen) this.seen.push(frame);
    return this.#rules.find((rule) => rule.takes(frame));
  }

  open(index: number): Socket {
    const socket = connect(this.targets[index]!, '127.0.0.1');
    this.keep(socket);
    return socket;
  }

  keep(socket: Socket): void {
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    if (this.#closed) socket.destroy();
  }

  #pass(client: Socket, index: number): void {
    this.keep(client);
    this.#clients.add(client);
    client.on('close', () => this.#clients.delete(client));
    new Passage(this, index, client);
  }
}

/** One connection of a client and ours to the broker. */
class Passage {
  readonly #proxy: KafkaProxy;
  readonly #index: number;
  readonly #client: Socket;
  readonly #broker: Socket;
  readonly #requests = new Queue((frame) => this.#request(frame));
  readonly #answers = new Queue((frame) => this.#answer(frame));
  /** What is to happen to answers, by correlation id. */
  readonly #awaited = new Map<number, { readonly rule: Rule; readonly frame: RequestFrame }>();

  constructor(proxy: KafkaProxy, index: number, client: Socket) {
    this.#proxy = proxy;
    this.#index = index;
    this.#client = client;
    this.#broker = proxy.open(index);
    const fromClient = new FrameSplitter();
    client.on('data', (chunk) => this.#requests.push(fromClient.push(chunk as Buffer)));
    const fromBroker = new FrameSplitter();
    this.#broker.on('data', (chunk) => this.#answers.push(fromBroker.push(chunk as Buffer)));
    // What is held comes to the broker though its sender is gone.
    client.on('close', () => this.#requests.whenEmpty(() => this.#broker.end()));
    this.#broker.on('close', () => client.destroy());
  }

  #request(bytes: Buffer): void {
    const frame = readFrame(bytes);
    const rule = this.#proxy.ruleFor(frame);
    const { action } = rule ?? {};
    switch (action?.do) {
      case undefined:
        this.#forward(bytes);
        return;
      case 'hold': {
        this.#requests.block();
        rule!.whenReleased(() => {
          this.#forward(bytes);
          this.#requests.unblock();
        });
        return;
      }
      case 'delay':
        this.#requests.block();
        setTimeout(() => {
          this.#forward(bytes);
          this.#requests.unblock();
        }, action.afterMs);
        return;
      case 'duplicate':
        this.#forward(bytes);
        setTimeout(() => {
          void this.#proxy.repeat(frame, this.#index).then((answer) => {
            rule!.repeatAnswers.push(answer);
            rule!.changed();
          });
        }, action.afterMs);
        return;
      case 'blackHole':
        return;
      case 'answer': {
        this.#client.write(framed(answerOf(frame, action.with(frame))));
        return;
      }
      default:
        this.#awaited.set(frame.correlationId, { rule: rule!, frame });
        this.#forward(bytes);
    }
  }

  #answer(bytes: Buffer): void {
    const correlationId = bytes.readInt32BE(0);
    const { rule, frame } = this.#awaited.get(correlationId) ?? {};
    this.#awaited.delete(correlationId);
    const action = rule?.action;
    switch (action?.do) {
      case 'amend':
        this.#client.write(framed(answerOf(frame!, action.with(frame!, bytes.subarray(4)))));
        return;
      case 'dropAnswer':
        this.#client.destroy();
        return;
      case 'swallowAnswer':
        return;
      case 'holdAnswer':
        this.#answers.block();
        rule!.whenReleased(() => {
          this.#client.write(framed(bytes));
          this.#answers.unblock();
        });
        return;
      default:
        this.#client.write(framed(bytes));
    }
  }

  #forward(bytes: Buffer): void {
    this.#broker.write(framed(bytes));
  }
}

/** Frames in order, which may have to wait. */
class Queue {
  readonly #handle: (frame: Buffer) => void;
  readonly #frames: Buffer[] = [];
  #blocked = false;
  #onEmpty: (() => void) | undefined;

  constructor(handle: (frame: Buffer) => void) {
    this.#handle = handle;
  }

  push(frames: readonly Buffer[]): void {
    this.#frames.push(...frames);
    this.#drain();
  }

  block(): void {
    this.#blocked = true;
  }

  unblock(): void {
    this.#blocked = false;
    this.#drain();
  }

  whenEmpty(then: () => void): void {
    this.#onEmpty = then;
    this.#drain();
  }

  #drain(): void {
    while (!this.#blocked && this.#frames.length > 0) this.#handle(this.#frames.shift()!);
    if (!this.#blocked && this.#frames.length === 0) this.#onEmpty?.();
  }
}

/** Cuts a stream of bytes into frames, the lengths left out. */
class FrameSplitter {
  #chunks: Buffer[] = [];
  #size = 0;

  push(chunk: Buffer): Buffer[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const frames: Buffer[] = [];
    for (;;) {
      if (this.#size < 4) return frames;
      if (this.#chunks[0]!.length < 4) this.#join();
      const end = 4 + this.#chunks[0]!.readInt32BE(0);
      if (this.#size < end) return frames;
      const bytes = this.#join();
      frames.push(bytes.subarray(4, end));
      this.#chunks = end === bytes.length ? [] : [bytes.subarray(end)];
      this.#size -= end;
    }
  }

  #join(): Buffer {
    if (this.#chunks.length > 1) this.#chunks = [Buffer.concat(this.#chunks)];
    return this.#chunks[0]!;
  }
}

function answerOf(frame: RequestFrame, body: Buffer): Buffer {
  const answer = Buffer.alloc(4 + body.length);
  answer.writeInt32BE(frame.correlationId);
  body.copy(answer, 4);
  return answer;
}

function framed(bytes: Buffer): Buffer {
  const whole = Buffer.allocUnsafe(4 + bytes.length);
  whole.writeInt32BE(bytes.length);
  bytes.copy(whole, 4);
  return whole;
}

function readFrame(bytes: Buffer): RequestFrame {
  const length = Math.max(0, bytes.readInt16BE(8));
  return {
    apiKey: bytes.readInt16BE(0),
    apiVersion: bytes.readInt16BE(2),
    correlationId: bytes.readInt32BE(4),
    clientId: bytes.toString('utf8', 10, 10 + length),
    bytes,
    bodyStart: 10 + length,
  };
}

export interface ProxiedKafka {
  readonly kafka: Kafka;
  readonly proxy: KafkaProxy;
  /** An address where clients learn of no proxy: that through which brokers talk to each other. */
  readonly direct: string;
  stop(): Promise<void>;
}

/** Brokers whose PLAINTEXT address, as clients learn it, is that of a proxy. */
export async function startProxiedKafka(options: KafkaOptions = {}): Promise<ProxiedKafka> {
  const proxy = await KafkaProxy.listen(options.nodes ?? 1);
  try {
    const advertisedPorts = Object.fromEntries(
      proxy.ports.map((port, index) => [index + 1, { PLAINTEXT: port }]),
    );
    const kafka = await startKafka({ ...options, advertisedPorts });
    proxy.targets = kafka.nodes.map(({ ports }) => ports['PLAINTEXT']!);
    const stop = async (): Promise<void> => {
      await proxy.close();
      await kafka.stop();
    };
    const direct = kafka.nodes.map(({ ports }) => `127.0.0.1:${ports['INTERNAL']}`).join(',');
    return { kafka, proxy, direct, stop };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}
