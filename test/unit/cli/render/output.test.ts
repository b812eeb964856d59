import { PassThrough, Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { Output } from '../../../../src/cli/render/output.ts';

test('waits for a slow reader and goes on when it has read', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const output = new Output(stream);
  let done = false;
  const writing = output.write('more than four').then(() => (done = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(done).toBe(false);
  stream.read();
  await writing;
  expect(stream.listenerCount('drain') + stream.listenerCount('close')).toBe(0);
});

test('a reader that goes away while it is waited for ends the waiting; later writes do nothing', async () => {
  const stream = new PassThrough({ highWaterMark: 4 });
  const output = new Output(stream);
  const writing = output.write('more than four');
  stream.destroy(Object.assign(new Error('gone'), { code: 'EPIPE' }));
  await writing;
  expect(output.closed).toBe(true);
  await output.write('more');
});

test('another failure is reported once', async () => {
  const full = Object.assign(new Error('the disk is full'), { code: 'ENOSPC' });
  const output = new Output(new Writable({ write: (_chunk, _encoding, done) => done(full) }));
  await output.write('x');
  await new Promise((resolve) => setImmediate(resolve));
  await expect(output.write('y')).rejects.toThrow('the disk is full');
  await output.write('z');
});

test('a copy gets what is written while it is set', async () => {
  const [stream, copy] = [new PassThrough(), new PassThrough()];
  const output = new Output(stream);
  await output.write('a');
  output.copyTo(copy);
  await output.write('b');
  output.copyTo(null);
  await output.write('c');
  expect([String(stream.read()), String(copy.read())]).toEqual(['abc', 'b']);
});
