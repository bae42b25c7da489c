// Replays of single decisions: rollout, garbage collection, conditions, children of Revisions and ServerlessServices.
import { existsSync } from 'node:fs';
import { deployments, type Deployment } from '../../src/api/apps/deployment.ts';
import { serverlessServices } from '../../src/api/networking/serverless-service.ts';
import type { Resource } from '../../src/api/resource.ts';
import { configurations } from '../../src/api/serving/configuration.ts';
import { domainMappings, type DomainMapping } from '../../src/api/serving/domain-mapping.ts';
import { revisions, type Revision } from '../../src/api/serving/revision.ts';
import { errorText } from '../../src/api/field-errors.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';
import { realClock, type Clock } from '../../src/clock.ts';
import type { ClientRequest, ClientResponse, HttpClient } from '../../src/http/exchange.ts';
import { garbageCollectionConfig } from '../../src/serving/config/gc.ts';
import { labelKeys } from '../../src/serving/keys.ts';
import {
  createDigestResolver,
  observeReady,
  rolloutDone,
  rolloutValid,
  selectGarbage,
  serverlessServiceReconciler,
  stepRollout,
  type Rollout,
} from '../../src/serving/index.ts';
import { containerMissingMessage } from '../../src/serving/lifecycle/revision.ts';
import { makeCertificate } from '../../src/serving/resources/certificate.ts';
import { makeDeployment } from '../../src/serving/resources/deployment.ts';
import { makeDomainClaim, makeDomainMappingIngress } from '../../src/serving/resources/domain-mapping-ingress.ts';
import { makeImage } from '../../src/serving/resources/image.ts';
import { ingressName } from '../../src/serving/resources/ingress.ts';
import { makePodAutoscaler } from '../../src/serving/resources/pod-autoscaler.ts';
import { revisionConfig } from '../../src/serving/resources/revision-config.ts';
import { readRollout, serializeRollout } from '../../src/serving/traffic/rollout-annotation.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { conditionCases } from './serving.conditions.ts';
import { normalize, StoryStore, type Configs } from './serving.store.ts';

type Json = Record<string, unknown>;

function rolloutCases(cases: unknown[]): ReplayCase[] {
  return (cases as { id: string; previous?: unknown; steps: Json[] }[]).map((item) => {
    // A step on which upstream crashes has no expectation, nor has what comes after it.
    const crash = item.steps.findIndex(({ result }) => (result as Json)['upstreamPanics'] === true);
    const steps = crash < 0 ? item.steps : item.steps.slice(0, crash);
    const expected = steps.map(({ result }) => {
      const { rollout, done, nextStepTime, valid } = result as Json;
      return {
        ...(rollout !== undefined && { rollout: textOf(readRollout(rollout)) }),
        ...(done !== undefined && { done }),
        ...(nextStepTime !== undefined && { nextStepTime: String(nextStepTime as bigint) }),
        valid,
      };
    });
    return {
      file: 'rollout.json',
      id: item.id,
      expected,
      check: (wanted: unknown) => differencesOf(wanted, runRollout(item, crash < 0 ? item.steps.length : crash)),
    };
  });
}

const textOf = (rollout: Rollout | undefined): string | undefined => rollout && serializeRollout(rollout);

function runRollout(item: { previous?: unknown; steps: Json[] }, count: number): unknown[] {
  let state = item.previous === undefined ? undefined : readRollout(item.previous);
  const results: unknown[] = [];
  for (const step of item.steps) {
    const nowNs = BigInt((step['now'] as bigint | number | undefined) ?? 0);
    const wantsRollout = (step['result'] as Json)['rollout'] !== undefined;
    let stepped: { done: boolean; nextStepTime: string } | undefined;
    if (step['do'] === 'step') {
      const { rollout, nextStepTimeNs } = stepRollout(readRollout(step['current']) ?? { configurations: [] }, state, nowNs);
      state = rollout;
      stepped = { done: rolloutDone(rollout), nextStepTime: String(nextStepTimeNs) };
    } else if (step['do'] === 'observeReady' && state !== undefined) {
      state = observeReady(state, nowNs, Number(step['durationSecs']));
    }
    // Where upstream crashes we go on; the state must still make sense.
    if (results.length === count) {
      if (state === undefined || !rolloutValid(state)) results.push('invalid after the step that crashes upstream');
      break;
    }
    results.push({
      ...(wantsRollout && { rollout: textOf(state) }),
      ...stepped,
      valid: state !== undefined && rolloutValid(state),
    });
  }
  return results;
}

interface GcRevision {
  readonly name: string;
  readonly createdAgoSecs: number;
  readonly lastActiveAgoSecs?: number;
  readonly routingState?: string;
  readonly noGC?: boolean | string;
  readonly otherConfiguration?: boolean;
}

function gcCases(cases: unknown[]): ReplayCase[] {
  const nowMs = 1_700_000_000_000;
  const ago = (seconds: number): string => new Date(nowMs - seconds * 1_000).toISOString();
  return (
    cases as { id: string; configs?: Configs; input: { latestReady?: string; revisions: GcRevision[] }; expect: Json }[]
  ).map(({ id, configs, input, expect }) => ({
    file: 'gc.json',
    id,
    expected: expect['deleted'] ?? [],
    check: (wanted: unknown) => {
      const configuration = strictDecode(configurations.schema, {
        apiVersion: 'serving.knative.dev/v1',
        kind: 'Configuration',
        metadata: { name: 'c', namespace: 'default' },
        status: { latestReadyRevisionName: input.latestReady ?? '' },
      }).value;
      const all = input.revisions
        .filter(({ otherConfiguration }) => otherConfiguration !== true)
        .map(
          ({ name, createdAgoSecs, lastActiveAgoSecs, routingState, noGC }) =>
            strictDecode(revisions.schema, {
              apiVersion: 'serving.knative.dev/v1',
              kind: 'Revision',
              metadata: {
                name,
                creationTimestamp: ago(createdAgoSecs),
                labels: { ...(routingState !== undefined && { [labelKeys.routingState]: routingState }) },
                annotations: {
                  ...(lastActiveAgoSecs !== undefined && {
                    'serving.knative.dev/routingStateModified': ago(lastActiveAgoSecs),
                  }),
                  ...(noGC !== undefined && { 'serving.knative.dev/no-gc': String(noGC) }),
                },
              },
            }).value,
        );
      const config = garbageCollectionConfig({ config: () => configs?.['config-gc'] ?? {} });
      return differencesOf(
        wanted,
        selectGarbage(config, configuration, all, nowMs).map(({ metadata }) => metadata.name),
      );
    },
  }));
}

function sksCases(cases: unknown[]): ReplayCase[] {
  return (cases as { id: string; input: Json; expect: Json }[]).map(({ id, input, expect }) => {
    const error = expect['error'] === undefined ? {} : { error: expect['error'] };
    const result = (actions: unknown[], status: unknown): unknown => ({
      actions: actions.map((action) => {
        const { metadata, spec, subsets } = ((action as Json)['object'] ?? {}) as Json;
        // The recording's store counts generations of kinds that have none.
        const { uid: _uid, generation: _generation, ...meta } = (metadata ?? {}) as Json;
        return normalize({ ...(action as Json), object: { metadata: meta, spec, subsets } });
      }),
      // The recording calls the reconciler without the frame that notes the generation.
      status: normalize({ ...(status as Json), observedGeneration: undefined }),
    });
    return {
      file: 'serverlessservice.json',
      id,
      expected: { ...(result((expect['actions'] ?? []) as unknown[], expect['status']) as Json), ...error },
      check: (wanted: unknown) => {
        const store = new StoryStore();
        const sks = {
          apiVersion: 'networking.internal.knative.dev/v1alpha1',
          kind: 'ServerlessService',
          ...(input['sks'] as Json),
        } as Resource;
        store.write({ ...sks, metadata: { uid: 'uid-sks', ...sks.metadata } });
        const target = (sks.spec as { objectRef: { name: string } }).objectRef.name;
        store.write({
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          metadata: { name: target, namespace: sks.metadata.namespace ?? 'default' },
          spec: { selector: { matchLabels: sks.metadata.labels } },
        });
        for (const name of ['privateEndpoints', 'activatorEndpoints', 'publicEndpoints']) {
          const found = input[name] as Json | undefined;
          if (found !== undefined) store.write({ apiVersion: 'v1', kind: 'Endpoints', ...found } as Resource);
        }
        const stored = store.get(serverlessServices, sks.metadata.namespace, sks.metadata.name);
        if (stored === undefined) return ['not stored'];
        const kind = serverlessServices as unknown as Parameters<StoryStore['carryOut']>[0];
        const plan = serverlessServiceReconciler.reconcile(stored as never, store.reader(), store.nowMs);
        const actions = store.carryOut(kind, stored, plan);
        const status = store.get(kind, sks.metadata.namespace, sks.metadata.name)?.status;
        const made = result(actions, status) as Json;
        return differencesOf(wanted, { ...made, ...(plan.error !== undefined && { error: plan.error }) });
      },
    };
  });
}

const bare = (resource: unknown): unknown => {
  const { apiVersion: _apiVersion, kind: _kind, status: _status, ...rest } = (resource ?? {}) as Json;
  return normalize(rest);
};

function domainMappingCases(cases: unknown[]): ReplayCase[] {
  return (cases as { id: string; input: Json; expect: Json }[]).map(({ id, input, expect }) => ({
    file: 'domainmapping.json',
    id,
    expected: { ingress: bare(expect['ingress']), claim: bare(expect['claim']), certificate: bare(expect['certificate']) },
    check: (wanted: unknown) => {
      const decoded = strictDecode(domainMappings.schema, input['domainMapping']).value;
      const { name } = decoded.metadata;
      const mapping: DomainMapping = {
        ...decoded,
        metadata: { ...decoded.metadata, uid: decoded.metadata.uid ?? `uid-domainmapping-${name}` },
      };
      const ingress = makeDomainMappingIngress({
        mapping,
        serviceName: input['backendServiceName'] as string,
        host: input['hostName'] as string,
        ingressClass: input['ingressClass'] as string,
        httpOption: (input['httpOption'] as 'Enabled' | 'Redirected' | '') || undefined,
        tls: (input['tls'] ?? []) as never,
        challenges: (input['acmeChallenges'] ?? []) as never,
      });
      const certificate = makeCertificate({
        kind: domainMappings,
        owner: mapping,
        ownerLabel: labelKeys.domainMappingUid,
        name: ingressName(mapping),
        dnsNames: [name],
        domain: name,
        certificateClass: (input['certClass'] as string | undefined) ?? 'cert-class',
        type: 'external-domain',
      });
      return differencesOf(wanted, {
        ingress: bare(ingress),
        claim: bare(makeDomainClaim(mapping)),
        certificate: bare(certificate),
      });
    },
  }));
}

/** A Revision as the store would hold it. */
function storedRevision(revision: unknown, configs: Configs | undefined): { revision: Revision; store: StoryStore } {
  const store = new StoryStore(configs);
  const decoded = strictDecode(revisions.schema, revision).value;
  const config = (name: string): Readonly<Record<string, string>> | undefined => store.configs[name];
  return { store, revision: revisions.defaults?.(decoded, { operation: 'create', config }) ?? decoded };
}

function revisionChildrenCases(cases: unknown[]): ReplayCase[] {
  return (cases as { id: string; configs?: Configs; input: Json; expect: Json }[]).map(({ id, configs, input, expect }) => ({
    file: 'revision-children.json',
    id,
    expected:
      expect['error'] === undefined
        ? {
            defaultedSpec: normalize(expect['defaultedSpec']),
            deployment: bare(expect['deployment']),
            podAutoscaler: bare(expect['podAutoscaler']),
            images: ((expect['images'] ?? []) as unknown[]).map(bare),
          }
        : { defaultedSpec: normalize(expect['defaultedSpec']), error: expect['error'] },
    check: (wanted: unknown) => {
      const { revision, store } = storedRevision(input['revision'], configs);
      const defaultedSpec = normalize(revision.spec);
      const made = makeDeployment(revision, revisionConfig(store.reader()));
      if ('error' in made) return differencesOf(wanted, { defaultedSpec, error: made.error });
      const existing =
        input['deployment'] === undefined ? undefined : strictDecode(deployments.schema, input['deployment']).value;
      const { containerStatuses = [], initContainerStatuses = [] } = revision.status ?? {};
      return differencesOf(wanted, {
        defaultedSpec,
        deployment: bare(made),
        podAutoscaler: bare(makePodAutoscaler(revision, existing)),
        images: [...containerStatuses, ...initContainerStatuses].map(({ name = '', imageDigest = '' }) =>
          bare(makeImage(revision, name, imageDigest)),
        ),
      });
    },
  }));
}

function probeCases(cases: unknown[]): ReplayCase[] {
  const all = cases as { id: string; family: string; configs?: Configs; input: Json; expect: Json }[];
  const rewrites = all.filter(({ family }) => family === 'rewrite');
  const others = existsSync(new URL('serving.data-plane.ts', import.meta.url))
    ? []
    : all.filter(({ family }) => family !== 'rewrite');
  return [
    ...rewrites.map(({ id, configs, input, expect }): ReplayCase => {
      return {
        file: 'queue-probes.json',
        id,
        expected: shownProbes(expect),
        check: (wanted: unknown) => differencesOf(wanted, shownProbes(rewriteProbes(input['spec'], configs))),
      };
    }),
    ...others.map(({ id }): ReplayCase => ({
      file: 'queue-probes.json',
      id,
      skip: 'belongs to the data plane',
      expected: null,
      check: () => [],
    })),
  ];
}

function shownProbes(value: Json): unknown {
  const { queueProxy, invalid, error, ...lists } = value;
  const { servingReadinessProbeText, ...queue } = (queueProxy ?? {}) as Json;
  const text =
    typeof servingReadinessProbeText === 'string' && servingReadinessProbeText !== '' ? servingReadinessProbeText : undefined;
  return {
    lists: normalize(lists),
    ...(invalid !== undefined && { invalid }),
    ...(error !== undefined && { error }),
    ...(queueProxy !== undefined && {
      queueProxy: normalize(queue),
      probe: text === undefined ? undefined : normalize(JSON.parse(text)),
    }),
  };
}

function rewriteProbes(spec: unknown, configs: Configs | undefined): Json {
  const { revision, store } = storedRevision(
    { apiVersion: 'serving.knative.dev/v1', kind: 'Revision', metadata: { name: 'hello-00001', namespace: 'default' }, spec },
    configs,
  );
  const config = (name: string): Readonly<Record<string, string>> | undefined => store.configs[name];
  const invalid = errorText(revisions.validate?.(revision, { operation: 'create', config }) ?? []);
  const probesOf = ({ name, readinessProbe, livenessProbe, startupProbe }: Revision['spec']['containers'][number]): Json => ({
    name,
    readiness: readinessProbe,
    liveness: livenessProbe,
    startup: startupProbe,
  });
  const common = { defaulted: revision.spec.containers.map(probesOf), ...(invalid !== '' && { invalid: unprefixed(invalid) }) };
  const made: Deployment | { error: string } = makeDeployment(revision, revisionConfig(store.reader()));
  if ('error' in made) return { ...common, error: made.error };
  const { containers } = made.spec.template.spec;
  const queue = containers.at(-1);
  const variable = (name: string): string | undefined => queue?.env?.find((item) => item.name === name)?.value;
  return {
    ...common,
    containers: containers.slice(0, -1).map(probesOf),
    queueProxy: {
      name: queue?.name,
      readiness: queue?.readinessProbe,
      multi: variable('ENABLE_MULTI_CONTAINER_PROBES'),
      userPort: variable('USER_PORT'),
      servingReadinessProbeText: variable('SERVING_READINESS_PROBE'),
    },
  };
}

const unprefixed = (text: string): string => text;

interface RegistryAnswer {
  readonly method?: string;
  readonly path?: string;
  readonly status: number;
  readonly header?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly error?: string;
}

function digestCases(cases: unknown[]): ReplayCase[] {
  return (
    cases as {
      id: string;
      input: { image: string; registriesSkippingTagResolving?: string; registry?: RegistryAnswer[] };
      expect: Json;
    }[]
  ).map(({ id, input, expect }) => ({
    file: 'digest-resolution.json',
    id,
    expected: expect,
    check: async (wanted: unknown) => {
      const requests: string[] = [];
      const resolve = createDigestResolver({ client: registryClient(input.registry ?? [], requests), clock: hurriedClock });
      const answer = await resolve(input.image, {
        namespace: 'default',
        serviceAccountName: '',
        imagePullSecrets: [],
        registriesSkippingTagResolving: input.registriesSkippingTagResolving?.split(',') ?? [
          'kind.local',
          'ko.local',
          'dev.local',
        ],
        timeoutMs: 10_000,
      });
      const message =
        'error' in answer
          ? { revisionMessage: `${containerMissingMessage(input.image, 'failed to resolve image to digest')}: ${answer.error}` }
          : {};
      return differencesOf(wanted, { requests, ...answer, ...message });
    },
  }));
}

/** Waiting between attempts takes no time; the time-out never comes. */
const hurriedClock: Clock = {
  ...realClock,
  setTimer(delayMs, run) {
    const immediate = delayMs < 10_000 ? setImmediate(run) : undefined;
    return {
      [Symbol.dispose]() {
        if (immediate !== undefined) clearImmediate(immediate);
      },
    };
  },
};

/** A registry that answers with the first entry that matches, else with 404; requests are noted without their query. */
function registryClient(answers: readonly RegistryAnswer[], requests: string[]): HttpClient {
  const close = (): Promise<void> => Promise.resolve();
  return {
    request({ method, url, rawHeaders = [] }: ClientRequest): Promise<ClientResponse> {
      const { origin, pathname } = new URL(url);
      const authorized = rawHeaders.some((name, index) => index % 2 === 0 && name.toLowerCase() === 'authorization');
      requests.push(`${method} ${origin}${pathname}${authorized ? ' auth' : ''}`);
      const answer = answers.find(
        (candidate) =>
          (candidate.method === undefined || candidate.method === method) &&
          (candidate.path === undefined || candidate.path === pathname),
      );
      if (answer?.error !== undefined) return Promise.reject(new Error(answer.error));
      const headers = new Map(Object.entries(answer?.header ?? {}).map(([name, value]) => [name.toLowerCase(), value]));
      const body = method === 'HEAD' ? '' : (answer?.body ?? '');
      const bytes = new TextEncoder().encode(body);
      return Promise.resolve({
        status: answer?.status ?? 404,
        rawHeaders: [...headers].flat(),
        header: (name) => headers.get(name),
        body: (async function* () {
          yield await Promise.resolve(bytes);
        })(),
        bytes: () => Promise.resolve(bytes),
        text: () => Promise.resolve(body),
      });
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

export const files: Record<string, (cases: unknown[]) => Iterable<ReplayCase>> = {
  'rollout.json': rolloutCases,
  'gc.json': gcCases,
  'conditions.json': conditionCases,
  'serverlessservice.json': sksCases,
  'domainmapping.json': domainMappingCases,
  'revision-children.json': revisionChildrenCases,
  'queue-probes.json': probeCases,
  'digest-resolution.json': digestCases,
};
