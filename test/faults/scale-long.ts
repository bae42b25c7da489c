// 10,000 requests across 50 scale events and 20 crashes; exit code 1 when one is lost. Optional argument: the seed.
import { describeScaleFaults, runScaleFaults } from './scale.ts';

const result = await runScaleFaults({
  requests: 10_000,
  scaleEvents: 50,
  crashes: 20,
  connections: 64,
  seed: Number(process.argv[2] ?? 1),
});
console.log(describeScaleFaults(result));
const lost =
  10_000 -
  result.answers +
  result.wrong +
  result.broken +
  result.repeatedPosts +
  Object.keys(result.get).filter((key) => key !== '200').length;
process.exitCode = lost === 0 ? 0 : 1;
