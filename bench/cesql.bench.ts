// Claims: CESQL parse + compile at least 18 times as fast as the Go engine's parse; evaluation at least 2, 4.5, 13 and 3.2 times as
// fast on E1 to E4. The Go engine runs in the same run where Go is installed (bench/go), else the recorded figures stand.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { CesqlFault, compileCesql, EventMessage, parseCesql, type CesqlExpression } from '../src/cloudevents/index.ts';
import { cpuNs, formatTable, ns, times } from './cloudevents.measure.ts';

const expressions = {
  E1: `type = 'com.example.type.7'`,
  E2: `type = 'com.example.type.7' AND source LIKE '/src/%'`,
  E3: `EXISTS region AND region IN ('eu', 'us', 'ap') AND LENGTH(subject) > 5`,
  E4: `UPPER(LEFT(type, 3)) = 'COM' OR (INT(SUBSTRING(subject, 6, 1)) * 2 + 1) % 5 = 0`,
};
type Name = keyof typeof expressions;
const names: readonly Name[] = ['E1', 'E2', 'E3', 'E4'];

interface Figures {
  readonly parse: Record<Name, number>;
  readonly evaluate: Record<Name, number>;
}

/** CPU ns of sql/v2 v2.16.2, recorded (GO-BASELINE.md section 2). */
const recorded: Figures = {
  parse: { E1: 12_650, E2: 19_590, E3: 36_430, E4: 65_900 },
  evaluate: { E1: 64.5, E2: 219, E3: 975, E4: 368 },
};
const evaluateGoals: Record<Name, number> = { E1: 2, E2: 4.5, E3: 13, E4: 3.2 };
const parseGoal = 18;

function measureGo(): Figures | undefined {
  const run = spawnSync('go', ['run', '.'], { cwd: fileURLToPath(new URL('./go', import.meta.url)), encoding: 'utf8' });
  if (run.status !== 0) return undefined;
  const figures: Figures = JSON.parse(run.stdout);
  return figures;
}

function eventOf(i: number): EventMessage {
  return new EventMessage({
    id: `id-${i}`,
    type: `com.example.type.${i}`,
    source: `/src/${i}`,
    subject: `file-${i}.json`,
    datacontenttype: 'application/json',
    extensions: ['region', 'eu'],
  });
}

function compiled(text: string): CesqlExpression {
  const expression = compileCesql(text);
  if (expression instanceof CesqlFault) throw expression.toError();
  return expression;
}

let sink: unknown;
const event7 = eventOf(7);
const events = Array.from({ length: 64 }, (_, k) => eventOf((157 * k) % 1_000));
const go = process.argv.includes('--recorded') ? undefined : measureGo();
const reference = go ?? recorded;
const label = go === undefined ? 'recorded' : 'same run';

const rows = names.map((name) => {
  const text = expressions[name];
  const expression = compiled(text);
  const parseNs = cpuNs(100_000, () => (sink = parseCesql(text)));
  const compileNs = cpuNs(100_000, () => (sink = compiled(text)));
  const evaluateNs = cpuNs(1_000_000, () => (sink = expression.evaluate(event7)));
  const manyNs = cpuNs(1_000_000, (i) => (sink = expression.matches(events[i & 63] ?? event7)));
  const goParse = reference.parse[name];
  const goEvaluate = reference.evaluate[name];
  return [
    name,
    ns(parseNs),
    ns(compileNs),
    `${ns(goParse)} (${times(goParse / compileNs)}, goal ${parseGoal} ×)`,
    ns(evaluateNs),
    `${ns(goEvaluate)} (${times(goEvaluate / evaluateNs)}, goal ${evaluateGoals[name]} ×)`,
    ns(manyNs),
  ];
});
console.log(
  formatTable(
    [
      '',
      'parse ns',
      'parse + compile ns',
      `Go parse, ${label}`,
      'evaluate, event 7, ns',
      `Go evaluate, ${label}`,
      'filter verdict, 64 events in turn, ns',
    ],
    rows,
  ),
);
for (const name of names) console.log(`\n${name}: \`${expressions[name]}\``);
if (sink === undefined) throw new Error('nothing was measured');
