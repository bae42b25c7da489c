import { expect, test } from 'vitest';
import { describeScaleFaults, runScaleFaults } from './scale.ts';

test('no request is lost while instances of a host come, go and crash', async () => {
  const requests = 2_000;
  const result = await runScaleFaults({ requests, scaleEvents: 10, crashes: 6, connections: 48, seed: 3 });
  console.log(describeScaleFaults(result));
  expect(result).toMatchObject({ answers: requests, wrong: 0, broken: 0, repeatedPosts: 0 });
  expect(Object.keys(result.get)).toEqual(['200']);
  // What was inside of a crashing instance and may not be repeated is answered with the reason.
  expect(Object.keys(result.post).filter((status) => status !== '200' && status !== '502 EOF')).toEqual([]);
});
