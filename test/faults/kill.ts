import { killRounds } from './kill-rounds.ts';

// `node test/faults/kill.ts ROUNDS SEED`: kills a process on a file log and prints what became of every event.

const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 1e9);
console.log(`seed ${seed}`);
const counts = await killRounds(rounds, seed);
console.table(counts);
if (counts.lost > 0 || counts.invented > 0 || counts.outOfOrder > 0 || counts.rounds < rounds) process.exitCode = 1;
