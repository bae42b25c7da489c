import { brokers } from '../api/eventing/broker.ts';
import { triggers } from '../api/eventing/trigger.ts';
import { services, type Service } from '../api/serving/service.ts';
import { isReady, whyNot, type Host } from '../host/index.ts';

/** What runs where, with lines to copy and paste. */
export function describeWorld(host: Host, port: number): string[] {
  return [
    ...host.list(services).flatMap((service) => describeService(service, port)),
    ...describeBrokers(host, port),
    ...describeTriggers(host),
  ];
}

function withPort(url: string, port: number): string {
  const parsed = new URL(url);
  parsed.port = String(port);
  return parsed.href;
}

function label(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === 'default' ? name : `${namespace}/${name}`;
}

function describeService(service: Service, port: number): string[] {
  const { metadata, status } = service;
  const name = label(metadata.namespace, metadata.name);
  if (!isReady(service)) return [`service ${name}: not ready, ${whyNot(service)}`];
  const traffic = status?.traffic ?? [];
  const shares = traffic
    .filter(({ percent = 0 }) => percent > 0)
    .map(({ percent, revisionName }) => `${percent}% ${revisionName ?? ''}`);
  const lines = [`service ${name}: ${shares.join(', ')}`];
  if (status?.url !== undefined) lines.push(`  curl ${withPort(status.url, port)}`);
  for (const { tag, url, revisionName } of traffic) {
    if (tag !== undefined && url !== undefined)
      lines.push(`  curl ${withPort(url, port)}    # tag ${tag}: ${revisionName ?? ''}`);
  }
  return lines;
}

function describeBrokers(host: Host, port: number): string[] {
  return host.list(brokers).flatMap(({ metadata }) => {
    const path = `${metadata.namespace ?? 'default'}/${metadata.name}`;
    return [
      `broker ${label(metadata.namespace, metadata.name)}: http://broker-ingress.knative-eventing.localhost:${port}/${path}`,
      `  curl -X POST http://localhost:${port}/${path} -H 'ce-specversion: 1.0' -H 'ce-id: 1' -H 'ce-source: /me' -H 'ce-type: ${exampleType(host)}' -H 'content-type: application/json' -d '{"name":"Ada"}'`,
    ];
  });
}

/** The type of an event that some trigger waits for. */
function exampleType(host: Host): string {
  for (const { spec } of host.list(triggers)) {
    const type = spec.filter?.attributes?.['type'];
    if (type !== undefined && type !== '') return type;
  }
  return 'example';
}

function describeTriggers(host: Host): string[] {
  return host.list(triggers).map(({ metadata, spec, status }) => {
    const attributes = Object.entries(spec.filter?.attributes ?? {}).map(([name, value]) => `${name}=${value}`);
    const filter = attributes.length > 0 ? attributes.join(' ') : (spec.filters?.length ?? 0) > 0 ? 'filters' : 'everything';
    return `trigger ${label(metadata.namespace, metadata.name)}: ${filter} -> ${spec.subscriber?.ref?.name ?? status?.subscriberUri ?? '(not resolved)'}`;
  });
}
