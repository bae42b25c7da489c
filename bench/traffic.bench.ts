// Traffic targets resolved, and the Ingress built from them, against upstream's recorded figures.
import { makeDomainConfig, makeNetworkConfig, buildTraffic, makeIngress, rolloutOf, type Naming } from '../src/serving/index.ts';
import { routes } from '../src/api/serving/route.ts';
import { revisions, type Revision } from '../src/api/serving/revision.ts';
import { configurations, type Configuration } from '../src/api/serving/configuration.ts';
import { strictDecode } from '../src/api/strict-decode.ts';
import { cpuNsPerOp, printTable } from './data-plane.measure.ts';

const ready = { observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] };
const naming: Naming = { network: makeNetworkConfig({}), domain: makeDomainConfig({ 'example.com': '' }) };
/** Recorded nanoseconds by number of targets: building, and building with the Ingress. */
const recorded: Record<number, readonly [build: number, ingress: number]> = {
  1: [1_456.5, 17_676.7],
  2: [2_785, 54_004.4],
  10: [12_372, 210_113.8],
  50: [66_408.1, 1_023_877.5],
};

const rows: [string, number, number][] = [];
for (const count of [1, 2, 10, 50]) {
  const tagged = count > 1;
  const names = Array.from({ length: count }, (_, index) => `hello-${String(index + 1).padStart(5, '0')}`);
  const stored = new Map<string, Revision>(
    names.map((name) => [
      name,
      strictDecode(revisions.schema, {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Revision',
        metadata: { name, namespace: 'default', generation: 1, labels: { 'serving.knative.dev/configuration': 'hello' } },
        spec: { containers: [{ image: 'example.com/app', name: 'user-container' }] },
        status: ready,
      }).value,
    ]),
  );
  const configuration: Configuration = strictDecode(configurations.schema, {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Configuration',
    metadata: { name: 'hello', namespace: 'default', generation: 1 },
    status: { ...ready, latestReadyRevisionName: names[0], latestCreatedRevisionName: names[0] },
  }).value;
  const share = Math.floor(100 / count);
  const route = strictDecode(routes.schema, {
    apiVersion: 'serving.knative.dev/v1',
    kind: 'Route',
    metadata: { name: 'hello', namespace: 'default', uid: 'uid-route-hello', generation: 1 },
    spec: {
      traffic: names.map((revisionName, index) => ({
        ...(tagged && { tag: `t${index}` }),
        ...(index === 0 ? { configurationName: 'hello', latestRevision: true } : { revisionName, latestRevision: false }),
        percent: index === 0 ? 100 - share * (count - 1) : share,
      })),
    },
  }).value;
  const sources = { configuration: () => configuration, revision: (name: string) => stored.get(name) };
  const visibility = new Map();
  const [build, ingress] = recorded[count] ?? [NaN, NaN];
  const repeats = Math.ceil(400_000 / count);
  const what = `${count} target${count > 1 ? 's, tagged' : ''}`;
  rows.push([
    `traffic, ${what}`,
    cpuNsPerOp(repeats, (times) => {
      for (let i = 0; i < times; i++) buildTraffic(route, sources);
    }),
    build,
  ]);
  rows.push([
    `traffic and Ingress, ${what}`,
    cpuNsPerOp(repeats / 4, (times) => {
      for (let i = 0; i < times; i++) {
        const traffic = buildTraffic(route, sources);
        if ('error' in traffic) throw new Error(traffic.error.problem);
        makeIngress({
          route,
          traffic,
          rollout: rolloutOf(traffic),
          visibility,
          naming,
          ingressClass: 'istio.ingress.networking.knative.dev',
          httpOption: 'Enabled',
          tagHeaderRouting: false,
        });
      }
    }),
    ingress,
  ]);
}
printTable('traffic', rows);
