import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EventLog } from '../../src/eventing/index.ts';
import { fileLog } from '../../src/eventing/logs/file.ts';
import { dataOf } from './kill-data.ts';
import { createRandom } from '../../src/random.ts';

export interface KillCounts {
  rounds: number;
  acknowledged: number;
  delivered: number;
  redelivered: number;
  parked: number;
  /** Acknowledged to the sender and never delivered: must stay 0. */
  lost: number;
  /** Delivered and never sent, or not as it was sent: must stay 0. */
  invented: number;
  /** First deliveries of one producer's events to one trigger out of order: must stay 0. */
  outOfOrder: number;
}

const child = fileURLToPath(new URL('kill-child.ts', import.meta.url));

/** Kills a process that works on a file log, again and again on the same folder, and follows each event. */
export async function killRounds(rounds: number, seed: number): Promise<KillCounts> {
  const random = createRandom(seed);
  const folder = mkdtempSync(join(tmpdir(), 'knative-embed-kill-'));
  const counts: KillCounts = {
    rounds: 0,
    acknowledged: 0,
    delivered: 0,
    redelivered: 0,
    parked: 0,
    lost: 0,
    invented: 0,
    outOfOrder: 0,
  };
  const book = new Book(counts);
  try {
    for (let round = 0; round < rounds; round++) {
      await killOnce(folder, round, 5 + random() * 120, book);
      counts.rounds++;
      // The files must open, and hold what is not done, after each kill; they are emptied after every tenth, which bounds the book.
      if (round % 10 === 9 || round === rounds - 1) await drain(fileLog(folder, { bufferedEvents: 128 }), book);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return counts;
}

function killOnce(folder: string, round: number, afterMs: number, book: Book): Promise<void> {
  return new Promise((resolve, reject) => {
    const victim = spawn(process.execPath, [child, folder, String(round)], { stdio: ['ignore', 'pipe', 'pipe'] });
    let rest = '';
    let trouble = '';
    victim.stderr.on('data', (text: Buffer) => (trouble += text.toString()));
    victim.stdout.on('data', (text: Buffer) => {
      const lines = (rest + text.toString()).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === 'ready') setTimeout(() => victim.kill('SIGKILL'), afterMs);
        else book.note(line);
      }
    });
    victim.on('close', (_, signal) => {
      if (signal === 'SIGKILL') resolve();
      else reject(new Error(`the process ended by itself: ${trouble}`));
    });
  });
}

/** What was sent, acknowledged and delivered, by trigger. */
class Book {
  readonly #counts: KillCounts;
  /** How far each producer has announced its events. */
  readonly #announced = new Map<string, number>();
  readonly #owed = new Map<string, Set<string>>();
  readonly #seen = new Map<string, Set<string>>();
  readonly #newest = new Map<string, number>();
  readonly #parked = new Set<string>();

  constructor(counts: KillCounts) {
    this.#counts = counts;
  }

  note(line: string): void {
    const [kind, a = '', b = ''] = line.split(' ');
    if (kind === 's') this.#announced.set(a, Number(b));
    if (kind === 'a') {
      this.#counts.acknowledged++;
      for (const trigger of Number(a.split('.')[2]) % 3 === 0 ? ['every', 'third'] : ['every']) setOf(this.#owed, trigger).add(a);
    }
    if (kind === 'd') this.delivered(a, b);
    if (kind === 'p') this.#parked.add(`${a} ${b}`);
  }

  delivered(trigger: string, id: string): void {
    const [round = '', producer = '', n = ''] = id.split('.');
    const sent = Number(n) >= 1 && Number(n) <= (this.#announced.get(`${round}.${producer}`) ?? 0);
    if (!sent || (trigger === 'third' && Number(n) % 3 !== 0)) this.#counts.invented++;
    const seen = setOf(this.#seen, trigger);
    if (seen.has(id)) {
      this.#counts.redelivered++;
      return;
    }
    seen.add(id);
    this.#counts.delivered++;
    const lane = `${trigger} ${round}.${producer}`;
    const newest = this.#newest.get(lane) ?? 0;
    if (Number(n) < newest) this.#counts.outOfOrder++;
    this.#newest.set(lane, Math.max(newest, Number(n)));
  }

  /** Everything was drained: what is owed and was not seen is lost. */
  settle(parked: ReadonlySet<string>): void {
    for (const [trigger, owed] of this.#owed) {
      const seen = setOf(this.#seen, trigger);
      for (const id of owed) if (!seen.has(id)) this.#counts.lost++;
    }
    for (const each of this.#parked) if (!parked.has(each)) this.#counts.lost++;
    this.#counts.parked += this.#parked.size;
    this.#owed.clear();
    this.#seen.clear();
    this.#newest.clear();
    this.#announced.clear();
    this.#parked.clear();
  }
}

function setOf(map: Map<string, Set<string>>, key: string): Set<string> {
  let set = map.get(key);
  if (set === undefined) map.set(key, (set = new Set()));
  return set;
}

async function drain(log: EventLog, book: Book): Promise<void> {
  await log.open();
  for (const name of log.triggers) {
    const trigger = log.trigger(name);
    await new Promise<void>((resolve) => {
      const consumer = trigger.consume({ onReady: () => setImmediate(take), prefetch: 64 });
      function take(): void {
        for (let next = consumer.next(); next !== undefined; next = consumer.next()) {
          const { id } = next.event;
          book.delivered(name, next.event.data() === dataOf(Number(id.split('.')[2])) ? id : 'altered');
          next.ack();
        }
        if (trigger.backlog > 0) return;
        consumer.close();
        resolve();
      }
      take();
    });
  }
  const parked = new Set<string>();
  for await (const { id, trigger, event } of log.parked()) {
    parked.add(`${trigger} ${event.id}`);
    await log.unpark(id);
  }
  book.settle(parked);
  await log.close();
}
