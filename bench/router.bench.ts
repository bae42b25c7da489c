// Route look-up: the goal is 250 ns among 10,000 hosts, 1.1 µs among 120,000 host names.
import { createRandom } from '../src/random.ts';
import { createRouter, type RoutableIngress } from '../src/serving/index.ts';
import { cpuNsPerOp, printTable } from './data-plane.measure.ts';

/** Host texts of one run. */
const batch = 20_000;

/** The Ingress of a route as the Route reconciler makes it: cluster-local and public rules, a split of two revisions, tags. */
function makeRouteIngress(name: string, tags: number, tagHeader: boolean): RoutableIngress {
  const split = (revision: string, percent: number) => ({
    serviceNamespace: 'default',
    serviceName: revision,
    servicePort: 80,
    percent,
    appendHeaders: { 'Knative-Serving-Revision': revision, 'Knative-Serving-Namespace': 'default' },
  });
  const base = { splits: [split(`${name}-00001`, 90), split(`${name}-00002`, 10)] };
  const rules = ['', ...Array.from({ length: tags }, (_, index) => `t${index}-`)].flatMap((prefix) => {
    const own = prefix === '' ? base : { splits: [split(`${name}-00002`, 100)] };
    const tagged = tagHeader && prefix === '' ? [{ ...own, headers: { 'Knative-Serving-Tag': { exact: 't0' } } }] : [];
    const local = `${prefix}${name}.default`;
    return [
      {
        hosts: [local, `${local}.svc`, `${local}.svc.cluster.local`],
        visibility: 'ClusterLocal',
        http: { paths: [...tagged, own] },
      },
      { hosts: [`${prefix}${name}.default.example.com`], visibility: 'ExternalIP', http: { paths: [...tagged, own] } },
    ];
  });
  return { metadata: { name, namespace: 'default', generation: 1 }, spec: { rules } };
}

/** Host texts made anew, as a server's parser makes them, in uniform or Zipf order. */
function makeHosts(count: number, tags: number, zipf: boolean, port: boolean): string[] {
  const random = createRandom(7);
  return Array.from({ length: batch }, () => {
    const at = zipf ? Math.floor(count ** random()) - 1 : Math.floor(random() * count);
    const prefix = tags > 0 && random() < 0.3 ? `t${Math.floor(random() * tags)}-` : '';
    const host = `${prefix}svc${Math.max(0, at)}.default.example.com${port ? ':8080' : ''}`;
    // A new string each time: its hash is not known yet.
    return Buffer.from(host, 'latin1').toString('latin1');
  });
}

const rows: [string, number, number][] = [];
function measure(
  name: string,
  count: number,
  tags: number,
  options: { zipf?: boolean; port?: boolean; tagHeader?: boolean } = {},
): void {
  const { zipf = false, port = false, tagHeader = false } = options;
  const router = createRouter(
    Array.from({ length: count }, (_, index) => makeRouteIngress(`svc${index}`, tags, tagHeader)),
    { random: createRandom(1) },
  );
  const header = tagHeader ? (): string => 't0' : (): undefined => undefined;
  const runs = Array.from({ length: 16 }, () => makeHosts(count, tags, zipf, port));
  let run = 0;
  rows.push([
    `${name} (${router.hostCount.toLocaleString('en')} stored names)`,
    cpuNsPerOp(batch, (times) => {
      const hosts = runs[run++ % runs.length] ?? [];
      for (let i = 0; i < times; i++) {
        const host = hosts[i % batch] ?? '';
        if (router.match({ host, path: '/', header }) === undefined) throw new Error(`no route for ${host}`);
      }
    }),
    NaN,
  ]);
  if (tags > 0 || port || tagHeader) return;
  const map = new Map(Array.from({ length: count }, (_, index) => [`svc${index}.default.example.com`, { index }]));
  run = 0;
  rows.push([
    `peer: Map.get alone, ${name}`,
    cpuNsPerOp(batch, (times) => {
      const hosts = runs[(run++ + 8) % runs.length] ?? [];
      for (let i = 0; i < times; i++) if (map.get(hosts[i % batch] ?? '')?.index === undefined) throw new Error('no entry');
    }),
    NaN,
  ]);
}
measure('100 hosts', 100, 0);
measure('1,000 hosts', 1_000, 0);
measure('10,000 hosts, uniform', 10_000, 0);
measure('10,000 hosts, Zipf', 10_000, 0, { zipf: true });
measure('10,000 hosts, Zipf, with port', 10_000, 0, { zipf: true, port: true });
measure('10,000 hosts, Zipf, tag header', 10_000, 0, { zipf: true, tagHeader: true });
measure('10,000 routes with 2 tags: 120,000 names', 10_000, 2);

const router = createRouter(
  Array.from({ length: 10_000 }, (_, index) => makeRouteIngress(`svc${index}`, 0, false)),
  {},
);
const changed = makeRouteIngress('svc5000', 0, false);
rows.push([
  'replacing one Ingress among 10,000',
  cpuNsPerOp(100_000, (times) => {
    for (let i = 0; i < times; i++) router.set(changed);
  }),
  NaN,
]);
printTable('router', rows);
