import { apiVersionOf } from '../../api/kind.ts';
import type { HTTP01Challenge } from '../../api/networking/certificate.ts';
import {
  ingresses,
  type HTTPIngressPath,
  type Ingress,
  type IngressBackendSplit,
  type IngressRule,
  type IngressTLS,
} from '../../api/networking/ingress.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { childName } from '../../api/child-name.ts';
import { clusterLocalForms, domainName, tagHostname, type Naming, type Visibility } from '../domain-name.ts';
import type { HttpOption } from '../http-option.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';
import type { ConfigurationRollout, Rollout } from '../traffic/rollout.ts';
import { serializeRollout } from '../traffic/rollout-annotation.ts';
import { defaultTarget, type RevisionTarget, type TrafficConfig } from '../traffic/traffic.ts';

/** Annotations of the owner that its Ingress and Certificates do not get: they have the canonical spelling. */
export const excludedAnnotations = new Set<string>([
  annotationKeys.lastApplied,
  annotationKeys.certificateClassAlternative,
  annotationKeys.ingressClassAlternative,
]);

export interface IngressInput {
  readonly route: Route;
  readonly traffic: TrafficConfig;
  readonly rollout: Rollout;
  /** By tag; a missing one is public. */
  readonly visibility: ReadonlyMap<string, Visibility>;
  readonly naming: Naming;
  readonly ingressClass: string;
  readonly httpOption: HttpOption | undefined;
  readonly tagHeaderRouting: boolean;
  readonly tls?: readonly IngressTLS[];
  readonly challenges?: readonly HTTP01Challenge[];
}

export function ingressName(owner: { readonly metadata: { readonly name: string } }): string {
  return childName(owner.metadata.name, '');
}

/**
 * The Ingress of a Route: per tag one cluster-local rule with all short forms of the name, and one public rule unless the tag is
 * cluster-local. Source: knative/serving pkg/reconciler/route/resources/ingress.go.
 */
export function makeIngress(input: IngressInput): Ingress {
  const { route, rollout, ingressClass, httpOption, tls = [] } = input;
  const { namespace = '', labels, annotations } = route.metadata;
  const { rules, tagToHost } = makeRules(input);
  const ownAnnotations: Record<string, string> = {
    [annotationKeys.ingressClass]: ingressClass,
    [annotationKeys.rollout]: serializeRollout(rollout),
    ...withoutKeys(annotations, (key) => excludedAnnotations.has(key)),
  };
  if (tagToHost !== undefined) ownAnnotations[annotationKeys.tagToHost] = JSON.stringify(tagToHost);
  return {
    apiVersion: apiVersionOf(ingresses),
    kind: ingresses.kind,
    metadata: {
      name: ingressName(route),
      namespace,
      labels: { ...labels, [labelKeys.route]: route.metadata.name, [labelKeys.routeNamespace]: namespace },
      annotations: ownAnnotations,
      ownerReferences: [controllerReference(routes, route)],
    },
    spec: {
      ...(httpOption !== undefined && { httpOption }),
      rules,
      ...(tls.length > 0 && { tls: [...tls] }),
    },
  };
}

function makeRules(input: IngressInput): { rules: IngressRule[]; tagToHost: Record<string, string[]> | undefined } {
  const { route, traffic, visibility, naming, tagHeaderRouting, challenges = [] } = input;
  const rules: IngressRule[] = [];
  let tagToHost: Record<string, string[]> | undefined;
  const tags = [...traffic.targets.keys()];
  if (tags.length > 1) tags.sort();
  const paths = new Map<string, HTTPIngressPath>();
  for (const tag of tags) paths.set(tag, makePath(input, tag));
  const tagPaths = tagHeaderRouting ? tags.slice(1).map((tag) => withHeader(paths.get(tag), tag)) : [];
  for (const tag of tags) {
    const hostname = tagHostname(naming, route.metadata.name, tag);
    let path = paths.get(tag) ?? { splits: [] };
    let all = [path];
    if (tagHeaderRouting) {
      const headers = tag === defaultTarget ? { 'Knative-Serving-Default-Route': 'true' } : { 'Knative-Serving-Tag': tag };
      path = { ...path, appendHeaders: headers };
      all = tag === defaultTarget ? [...tagPaths, path] : [path];
    }
    const local = domainName(naming, route.metadata, hostname, 'ClusterLocal');
    rules.push({ hosts: clusterLocalForms(local), visibility: 'ClusterLocal', http: { paths: all } });
    const hosts = [local];
    if (visibility.get(tag) !== 'ClusterLocal') {
      const host = domainName(naming, route.metadata, hostname, 'ExternalIP');
      const solvers = challenges.length === 0 ? [] : challengePaths(challenges, host);
      rules.push({ hosts: [host], visibility: 'ExternalIP', http: { paths: solvers.length === 0 ? all : [...solvers, ...all] } });
      hosts.push(host);
    }
    if (tag !== defaultTarget) (tagToHost ??= {})[tag] = hosts;
  }
  return { rules, tagToHost };
}

function withHeader(path: HTTPIngressPath | undefined, tag: string): HTTPIngressPath {
  return { headers: { 'Knative-Serving-Tag': { exact: tag } }, splits: path?.splits ?? [] };
}

function makePath(input: IngressInput, tag: string): HTTPIngressPath {
  const { route, traffic, rollout, naming } = input;
  const { namespace = '' } = route.metadata;
  const encrypted = naming.network.systemInternalTLS === 'enabled';
  const splits: IngressBackendSplit[] = [];
  for (const target of traffic.targets.get(tag) ?? []) {
    if (target.percent === 0) continue;
    const port = encrypted ? 443 : target.protocol === 'h2c' ? 81 : 80;
    const rolling = target.latestRevision ? rollingConfiguration(rollout, tag, target) : undefined;
    if (rolling === undefined) splits.push(makeSplit(namespace, target.revisionName, port, target.percent));
    else
      for (const { revisionName, percent } of rolling.revisions) splits.push(makeSplit(namespace, revisionName, port, percent));
  }
  return { splits };
}

/** The rollout of a target's Configuration under a tag, when one is in progress. */
function rollingConfiguration(rollout: Rollout, tag: string, target: RevisionTarget): ConfigurationRollout | undefined {
  for (const configuration of rollout.configurations) {
    if (configuration.tag === tag && configuration.configurationName >= target.configurationName) {
      return configuration.revisions.length < 2 ? undefined : configuration;
    }
  }
  return undefined;
}

function makeSplit(namespace: string, revision: string, port: number, percent: number): IngressBackendSplit {
  return {
    serviceNamespace: namespace,
    serviceName: revision,
    servicePort: port,
    percent,
    appendHeaders: { 'Knative-Serving-Revision': revision, 'Knative-Serving-Namespace': namespace },
  };
}

function challengePaths(challenges: readonly HTTP01Challenge[], host: string): HTTPIngressPath[] {
  return challenges.filter((challenge) => challengeHost(challenge) === host).map(makeChallengePath);
}

/** Host of a challenge's URL. */
export function challengeHost(challenge: HTTP01Challenge): string {
  return /^[a-z]+:\/\/([^/?#]*)/i.exec(challenge.url ?? '')?.[1] ?? '';
}

/** The path on which a certificate authority looks for proof. */
export function makeChallengePath(challenge: HTTP01Challenge): HTTPIngressPath {
  const path = /^[a-z]+:\/\/[^/?#]*([^?#]*)/i.exec(challenge.url ?? '')?.[1] ?? '';
  return {
    ...(path !== '' && { path }),
    splits: [
      {
        serviceNamespace: challenge.serviceNamespace ?? '',
        serviceName: challenge.serviceName ?? '',
        servicePort: challenge.servicePort ?? 0,
        percent: 100,
      },
    ],
  };
}
