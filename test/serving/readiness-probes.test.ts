import { expect, test } from 'vitest';
import type { RevisionSpec } from '../../src/api/serving/revision.ts';
import { readinessProbes } from '../../src/serving/resources/readiness-probes.ts';

type Readiness = NonNullable<RevisionSpec['containers'][number]['readinessProbe']>;

function textOf(readinessProbe: Readiness): unknown {
  const made = readinessProbes({ containers: [{ name: 'shop', image: 'shop', readinessProbe }] }, false);
  return 'error' in made ? made.error : JSON.parse(made.text);
}

test('of several handlers the first gets port and address, the others stay', () => {
  expect(textOf({ httpGet: { path: '/up' }, tcpSocket: { host: 'db', port: 5432 } })).toEqual({
    httpGet: { path: '/up', port: 5432, host: '127.0.0.1', scheme: 'HTTP' },
    tcpSocket: { host: 'db', port: 5432 },
  });
});

test('a grace period of 0 is a value of its own, other zeros are none', () => {
  expect(textOf({ tcpSocket: {}, periodSeconds: 0, terminationGracePeriodSeconds: 0 })).toEqual({
    tcpSocket: { host: '127.0.0.1', port: 8080 },
    terminationGracePeriodSeconds: 0,
  });
});
