import { connect, type Socket } from 'node:net';

/** A client that writes what it likes: bytes over a socket. */
export class RawClient {
  readonly socket: Socket;
  received = '';
  /** Everything received, when the connection has ended for whatever reason. */
  readonly ended: Promise<string>;

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    this.socket.on('data', (chunk: Buffer) => {
      this.received += chunk.toString('latin1');
    });
    this.socket.on('error', () => undefined);
    this.ended = new Promise((resolve) => this.socket.on('close', () => resolve(this.received)));
  }

  write(text: string | Buffer): this {
    this.socket.write(text);
    return this;
  }

  /** Resolves when `pattern` has come. */
  async until(pattern: RegExp): Promise<string> {
    while (!pattern.test(this.received)) {
      if (this.socket.destroyed)
        throw new Error(`the connection ended before ${String(pattern)}: ${this.received}`);
      await new Promise<void>((resolve) => {
        const done = (): void => {
          this.socket.off('data', done);
          this.socket.off('close', done);
          resolve();
        };
        this.socket.on('data', done);
        this.socket.on('close', done);
      });
    }
    return this.received;
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** The bytes of a WebSocket handshake for `target`. */
export function handshake(target: string, headers = ''): string {
  return (
    `GET ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
    `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`
  );
}
