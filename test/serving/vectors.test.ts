import { describe, expect, test } from 'vitest';
import { runReplay } from '../replays/replay.ts';
import { replay } from '../replays/serving.ts';

const folder = new URL('../vectors/serving', import.meta.url).pathname;

/** Files of the reconcilers, of single decisions and of the Ingress adapters; the data plane's and admission's have their own tests. */
const files = [
  'certificate-reconcile.json',
  'child-names.json',
  'conditions.json',
  'digest-resolution.json',
  'domainmapping-reconcile.json',
  'domainmapping.json',
  'gc.json',
  'hpa-class.json',
  'ingress-gateway-api.json',
  'ingress-istio.json',
  'queue-probes.json rewrite',
  'reconcile.json',
  'revision-children.json',
  'revision-reconcile.json',
  'rollout.json',
  'route.json',
  'serverlessservice.json',
];

describe('upstream recordings', () => {
  test.each(files)('%s', { timeout: 30_000 }, async (only) => {
    const lines: string[] = [];
    const result = await runReplay(replay, folder, { only, print: (line) => lines.push(line) });
    expect(lines.filter((line) => line.startsWith('FAIL'))).toEqual([]);
    expect(result.failed).toBe(0);
    expect(result.passed).toBeGreaterThan(0);
  });
});
