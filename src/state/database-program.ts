import { SCAN_CAPACITY } from './database.ts';

/**
 * The program of the thread of `database-thread.ts`, as text: it is started from the bundle and from the sources alike. It
 * answers each request by its `id`, blocking ones through a port of their own that the other side reads while it
 * stands still.
 */
export const DATABASE_PROGRAM = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const RocksDB = require(workerData.module);
const control = new Int32Array(workerData.control);
const { answers } = workerData;
const databases = new Map();

function pack(items) {
  const sizes = new Int32Array(items.length);
  let total = 0;
  items.forEach((item, i) => { sizes[i] = item === null ? -1 : item.length; total += item === null ? 0 : item.length; });
  const bytes = new Uint8Array(total);
  let at = 0;
  for (const item of items) if (item !== null) { bytes.set(item, at); at += item.length; }
  return { sizes, bytes };
}

function unpack({ sizes, bytes }) {
  let at = 0;
  return Array.from(sizes, (size) => size < 0 ? null : Buffer.from(bytes.buffer, bytes.byteOffset + (at += size) - size, size));
}

const HANDLERS = {
  async open({ database, path, options }) {
    const rocks = new RocksDB(path, options);
    await rocks.ready();
    databases.set(database, rocks);
  },
  async get({ database, keys }) {
    const wanted = unpack(keys);
    const batch = databases.get(database).read({ capacity: wanted.length, autoDestroy: true });
    const values = wanted.map((key) => batch.get(key));
    batch.tryFlush();
    return pack(await Promise.all(values));
  },
  async scan({ database, bounds, limit }) {
    const [gte, lt] = unpack(bounds);
    const rows = [];
    const capacity = Math.min(limit, ${SCAN_CAPACITY});
    for await (const { key, value } of databases.get(database).iterator({ gte, lt }, { capacity, limit })) rows.push(key, value);
    return pack(rows);
  },
  async write({ database, ranges, rows }) {
    const bounds = unpack(ranges);
    const writes = unpack(rows);
    const batch = databases.get(database).write({ capacity: (bounds.length + writes.length) / 2, autoDestroy: true });
    for (let i = 0; i < bounds.length; i += 2) batch.tryDeleteRange(bounds[i], bounds[i + 1]);
    for (let i = 0; i < writes.length; i += 2)
      if (writes[i + 1] === null) batch.tryDelete(writes[i]);
      else batch.tryPut(writes[i], writes[i + 1]);
    await batch.flush();
  },
  async close({ database }) {
    const rocks = databases.get(database);
    databases.delete(database);
    if (rocks !== undefined) await rocks.close();
  },
};

parentPort.on('message', async (request) => {
  const reply = { id: request.id, error: null, result: undefined };
  try {
    reply.result = await HANDLERS[request.kind](request);
  } catch (error) {
    const { message = String(error), code } = error.cause ?? error;
    reply.error = { message, code };
  }
  const moved = reply.result === undefined ? [] : [reply.result.sizes.buffer, reply.result.bytes.buffer];
  if (!request.blocking) return parentPort.postMessage(reply, moved);
  answers.postMessage(reply, moved);
  Atomics.add(control, 0, 1);
  Atomics.notify(control, 0);
});
`;
