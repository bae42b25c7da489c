// Replays a folder of golden vectors: `npm run vectors -- AREA FOLDER [--mutate] [--only TEXT] [--all]`. See test/replays/replay.ts.
import { existsSync, readdirSync, statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { runReplay, type Replay } from '../test/replays/replay.ts';

const replays = new URL('../test/replays/', import.meta.url);
const areas = readdirSync(replays)
  .filter((name) => name.endsWith('.ts') && name !== 'replay.ts' && !name.includes('.test.'))
  .map((name) => name.slice(0, -3))
  .filter((name) => !name.includes('.'));

const usage = `usage: npm run vectors -- AREA FOLDER [--mutate] [--only TEXT] [--differences N]

Replays every vector file of FOLDER against this package and prints the first differences, then the counts.
  AREA           ${areas.join(', ') || '(none yet)'}
  --mutate       alters the expected values instead and fails on every case that does not notice
  --only TEXT    only cases whose file or id contains TEXT
  --differences  how many differing cases to print (default 10)`;

let parsed;
try {
  parsed = parseArgs({
    allowPositionals: true,
    options: {
      mutate: { type: 'boolean' },
      only: { type: 'string' },
      differences: { type: 'string' },
      help: { type: 'boolean', short: 'h' },
    },
  });
} catch (error) {
  console.error(`${(error as Error).message}\n\n${usage}`);
  process.exit(2);
}
const { values, positionals } = parsed;
const [area, folder] = positionals;
if (values.help) {
  console.log(usage);
  process.exit(0);
}
if (area === undefined || folder === undefined || positionals.length !== 2) {
  console.error(usage);
  process.exit(2);
}
if (!areas.includes(area)) {
  console.error(`no replay for area ${JSON.stringify(area)}; there are: ${areas.join(', ')}`);
  process.exit(2);
}
if (!existsSync(folder) || !statSync(folder).isDirectory()) {
  console.error(`${folder} is not a folder`);
  process.exit(2);
}
const { replay } = (await import(new URL(`${area}.ts`, replays).href)) as { replay: Replay };
const result = await runReplay(replay, folder, {
  mutate: values.mutate ?? false,
  ...(values.only === undefined ? {} : { only: values.only }),
  differencesMax: Number(values.differences ?? 10),
  print: (line) => console.log(line),
});
process.exit(result.failed > 0 ? 1 : 0);
