import { closeSync, fdatasync, openSync, write } from 'node:fs';
import { Worker } from 'node:worker_threads';

// What the file log is compared with: the least that makes 256 B events durable in batches, without checksums, triggers or cursors.

export interface Peer {
  append(event: Buffer): Promise<void>;
  close(): Promise<void>;
}

/** A bare appended file with asynchronous fdatasync: everything that arrived during the last flush in one write. */
export function bareFile(path: string): Peer {
  const fd = openSync(path, 'w');
  let waiting: Buffer[] = [];
  let next = Promise.withResolvers<void>();
  let busy = false;
  let offset = 0;
  const commit = (): void => {
    if (waiting.length === 0) {
      busy = false;
      return;
    }
    const batch = Buffer.concat(waiting);
    const done = next;
    waiting = [];
    next = Promise.withResolvers();
    write(fd, batch, 0, batch.length, offset, (failed) => {
      if (failed !== null) throw failed;
      offset += batch.length;
      fdatasync(fd, (unsynced) => {
        if (unsynced !== null) throw unsynced;
        done.resolve();
        setImmediate(commit);
      });
    });
  };
  return {
    append(event) {
      waiting.push(event);
      if (!busy) {
        busy = true;
        setImmediate(commit);
      }
      return next.promise;
    },
    close() {
      closeSync(fd);
      return Promise.resolve();
    },
  };
}

/** The same batches as transactions of node:sqlite (WAL, synchronous=FULL) in a worker, one transferred buffer per batch. */
export function sqliteWorker(path: string): Peer {
  const worker = new Worker(sqliteProgram, { eval: true, workerData: path });
  let waiting: Buffer[] = [];
  let next = Promise.withResolvers<void>();
  let busy = false;
  let written = Promise.withResolvers<void>();
  worker.on('message', () => {
    written.resolve();
    setImmediate(commit);
  });
  function commit(): void {
    if (waiting.length === 0) {
      busy = false;
      return;
    }
    const batch = Buffer.from(Buffer.concat(waiting));
    const lengths = waiting.map(({ length }) => length);
    const whole = new Uint8Array(batch);
    written = next;
    waiting = [];
    next = Promise.withResolvers();
    worker.postMessage({ lengths, whole }, [whole.buffer]);
  }
  return {
    append(event) {
      waiting.push(event);
      if (!busy) {
        busy = true;
        setImmediate(commit);
      }
      return next.promise;
    },
    async close() {
      await worker.terminate();
    },
  };
}

const sqliteProgram = `
const { parentPort, workerData } = require('node:worker_threads');
const { DatabaseSync } = require('node:sqlite');
const db = new DatabaseSync(workerData);
db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; CREATE TABLE e (p INTEGER PRIMARY KEY, b BLOB NOT NULL)');
const insert = db.prepare('INSERT INTO e (b) VALUES (?)');
parentPort.on('message', ({ lengths, whole }) => {
  db.exec('BEGIN');
  let at = 0;
  for (const length of lengths) insert.run(whole.subarray(at, (at += length)));
  db.exec('COMMIT');
  parentPort.postMessage(0);
});
`;
