// A store with the recording harness' rules: defaulting on write, generations, predictable uids; and plans carried out on it.
import { apiVersionOf, type Kind } from '../../src/api/kind.ts';
import { coreKinds, servingKinds } from '../../src/api/kinds.ts';
import type { FactRequest, ListSelector, Plan, Reader, Write } from '../../src/api/reconciler.ts';
import { resourceKey, type Resource } from '../../src/api/resource.ts';
import { strictDecode } from '../../src/api/strict-decode.ts';
import { isJsonObject, jsonClone, jsonEqual, mergePatch } from '../../src/json.ts';
import { rfc3339 } from '../../src/time.ts';

export type Configs = Readonly<Record<string, Readonly<Record<string, string>>>>;

export interface Action {
  verb: Write['op'];
  kind: string;
  name?: string;
  object?: unknown;
  patch?: unknown;
}

/** What one write did, in the words of the recordings: the core Service is `K8sService`. */
export class StoryStore {
  nowMs = 1_700_000_000_000;
  configs: Record<string, Readonly<Record<string, string>>> = {};
  readonly facts = new Map<string, (request: FactRequest<unknown>) => unknown>();
  readonly #kinds: readonly Kind[];
  readonly #objects = new Map<string, Resource>();

  constructor(configs: Configs = {}, moreKinds: readonly Kind[] = []) {
    this.configure({ 'config-domain': { 'example.com': '' }, 'config-deployment': {}, ...configs });
    this.#kinds = [...coreKinds, ...servingKinds, ...moreKinds];
  }

  /** Replaces config maps; the recordings always name a queue-proxy image. */
  configure(configs: Configs): void {
    const { 'config-deployment': deployment } = configs;
    this.configs = {
      ...this.configs,
      ...configs,
      ...(deployment !== undefined && { 'config-deployment': { 'queue-sidecar-image': 'example.com/queue:1', ...deployment } }),
    };
  }

  kindOf(apiVersion: string, name: string): Kind {
    const kind = this.#kinds.find((candidate) => candidate.kind === name && apiVersionOf(candidate) === apiVersion);
    if (kind === undefined) throw new Error(`unknown kind ${apiVersion} ${name}`);
    return kind;
  }

  /** A kind by the name that steps use. */
  kindNamed(name: string): Kind {
    if (name === 'K8sService') return this.kindOf('v1', 'Service');
    if (name === 'CertManagerCertificate') return this.kindOf('cert-manager.io/v1', 'Certificate');
    const kind = this.#kinds.find((candidate) => candidate.kind === name && (name !== 'Service' || candidate.group !== ''));
    if (kind === undefined) throw new Error(`unknown kind ${name}`);
    return kind;
  }

  #key(kind: Kind, namespace: string | undefined, name: string): string {
    return `${apiVersionOf(kind)}/${kind.kind}/${resourceKey(kind.namespaced ? namespace : undefined, name)}`;
  }

  get(kind: Kind, namespace: string | undefined, name: string): Resource | undefined {
    return this.#objects.get(this.#key(kind, namespace, name));
  }

  /** The object of that name, in any namespace when none is given: the last one then. */
  find(kind: Kind, namespace: string | undefined, name: string): Resource | undefined {
    const isIt = (object: Resource): boolean =>
      object.kind === kind.kind && object.apiVersion === apiVersionOf(kind) && object.metadata.name === name;
    return namespace === undefined ? this.all().findLast(isIt) : this.get(kind, namespace, name);
  }

  all(): readonly Resource[] {
    return [...this.#objects.values()];
  }

  delete(kind: Kind, namespace: string | undefined, name: string): void {
    this.#objects.delete(this.#key(kind, namespace, name));
  }

  /** Writes metadata and spec; status comes from `object` only for a new one. */
  write(object: Resource): Resource {
    const kind = this.kindOf(object.apiVersion, object.kind);
    const { namespace, name } = object.metadata;
    const old = this.get(kind, namespace, name);
    const decoded = strictDecode(kind.schema, object).value;
    const config = (map: string): Readonly<Record<string, string>> | undefined => this.configs[map];
    const defaulted =
      kind.defaults?.(decoded, old === undefined ? { operation: 'create', config } : { operation: 'update', old, config }) ??
      object;
    const { status: given, ...rest } = jsonClone(defaulted);
    const status = old === undefined ? given : old.status;
    const bodyOf = ({ metadata: _metadata, status: _status, ...body }: Resource): unknown => body;
    const same = old !== undefined && jsonEqual(bodyOf(old), bodyOf(rest as Resource));
    const stored: Resource = {
      ...(rest as Resource),
      metadata: {
        ...rest.metadata,
        uid: old?.metadata.uid ?? rest.metadata.uid ?? `uid-${kindLabel(kind).toLowerCase()}-${name}`,
        generation: old === undefined ? (rest.metadata.generation ?? 1) : (old.metadata.generation ?? 1) + (same ? 0 : 1),
        creationTimestamp: old?.metadata.creationTimestamp ?? rest.metadata.creationTimestamp ?? rfc3339(this.nowMs),
      },
      ...(status !== undefined && { status }),
    };
    this.#objects.set(this.#key(kind, namespace, name), stored);
    return stored;
  }

  /** Puts an object in place as it is. */
  replace(object: Resource): void {
    const kind = this.kindOf(object.apiVersion, object.kind);
    this.#objects.set(this.#key(kind, object.metadata.namespace, object.metadata.name), object);
  }

  /** Merges JSON into the status of an object; nothing happens when it is not there. */
  mergeStatus(kind: Kind, namespace: string | undefined, name: string, status: unknown): void {
    const object = this.get(kind, namespace, name);
    if (object !== undefined) this.setStatus(kind, object, mergePatch(object.status, status));
  }

  setStatus(kind: Kind, object: Resource, status: unknown): void {
    const { namespace, name } = object.metadata;
    this.#objects.set(this.#key(kind, namespace, name), { ...object, status: jsonClone(status) });
  }

  annotate(kind: Kind, namespace: string | undefined, name: string, metadata: unknown): void {
    const object = this.get(kind, namespace, name);
    if (object !== undefined) this.write({ ...object, metadata: mergePatch(object.metadata, metadata) as Resource['metadata'] });
  }

  /** Carries a plan out; the actions as the recordings show them. */
  carryOut(kind: Kind, resource: Resource, plan: Plan): Action[] {
    const actions = plan.writes.map((write) => this.#carryOut(write));
    const current = this.get(kind, resource.metadata.namespace, resource.metadata.name);
    if (plan.status !== undefined && current !== undefined) this.setStatus(kind, current, plan.status);
    return actions;
  }

  #carryOut(write: Write): Action {
    const kind = kindLabel(write.kind);
    if (write.op === 'create' || write.op === 'update') {
      const stored = this.write(write.resource);
      return { verb: write.op, kind, object: stored };
    }
    const { namespace, name } = write;
    if (write.op === 'delete') {
      this.delete(write.kind, namespace, name);
      return { verb: 'delete', kind, name };
    }
    const object = this.get(write.kind, namespace, name);
    if (object !== undefined) this.write(mergePatch(object, write.patch) as Resource);
    return { verb: 'patch', kind, name, patch: write.patch };
  }

  reader(): Reader {
    const reader = {
      get: (kind: Kind, namespace: string | undefined, name: string) => this.get(kind, namespace, name),
      list: (kind: Kind, selector: ListSelector = {}) =>
        this.all().filter(
          (object) =>
            object.kind === kind.kind &&
            object.apiVersion === apiVersionOf(kind) &&
            (selector.namespace === undefined || object.metadata.namespace === selector.namespace) &&
            Object.entries(selector.labels ?? {}).every(([key, value]) => object.metadata.labels?.[key] === value),
        ),
      getByReference: ({
        apiVersion,
        kind,
        namespace,
        name,
      }: {
        apiVersion: string;
        kind: string;
        namespace?: string;
        name: string;
      }) => {
        const known = this.#kinds.find((candidate) => candidate.kind === kind && apiVersionOf(candidate) === apiVersion);
        return known === undefined ? undefined : this.get(known, namespace, name);
      },
      config: (name: string) => this.configs[name] ?? noConfig,
      fact: (request: FactRequest<unknown>) => this.facts.get(request.provider)?.(request),
    };
    return reader as unknown as Reader;
  }
}

const noConfig = {};

export function kindLabel(kind: Kind): string {
  if (kind.group === '' && kind.kind === 'Service') return 'K8sService';
  return kind.group === 'cert-manager.io' && kind.kind === 'Certificate' ? 'CertManagerCertificate' : kind.kind;
}

const zeroTexts = new Set([
  'path',
  'key',
  'mountPath',
  'name',
  'serviceName',
  'metricsServiceName',
  'externalName',
  'imageDigest',
  'reachability',
]);

const zeroNumbers = new Set([
  'port',
  'containerConcurrency',
  'periodSeconds',
  'timeoutSeconds',
  'initialDelaySeconds',
  'successThreshold',
  'failureThreshold',
]);

/**
 * A recorded or made value in the form that is compared: no nulls, empty collections or Go zero values, conditions by type
 * without times, variables by name, JSON in variables parsed.
 */
export function normalize(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    if (
      key === 'conditions' &&
      value.length > 0 &&
      value.every((item) => isJsonObject(item) && typeof item['type'] === 'string')
    ) {
      return Object.fromEntries(
        value.map((item: Record<string, unknown>) => {
          const { lastTransitionTime: _time, type, ...rest } = item;
          return [type, normalize(rest)];
        }),
      );
    }
    const items = value.map((item) => normalize(item)).filter((item) => item !== undefined);
    if (key === 'env')
      return Object.fromEntries(items.filter(isJsonObject).map((item) => [item['name'], normalizeVariable(item)]));
    if (key === 'volumes' || key === 'volumeMounts' || key === 'ownerReferences') {
      items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
    }
    return items.length === 0 ? undefined : items;
  }
  if (isJsonObject(value)) {
    const entries = Object.entries(value)
      .filter(([name]) => name !== 'creationTimestamp' && name !== 'serving.knative.dev/deployment-hash')
      .map(([name, item]) => [name, normalize(item, name)] as const)
      .filter(([, item]) => item !== undefined);
    return entries.length === 0 ? undefined : Object.fromEntries(entries);
  }
  if (value === null) return key.includes('/') ? null : undefined;
  if (value === 0 && zeroNumbers.has(key)) return undefined;
  if (value === '' && (zeroTexts.has(key) || key === 'value')) return undefined;
  return value;
}

function normalizeVariable(variable: Record<string, unknown>): unknown {
  const { name: _name, ...rest } = variable;
  const text = rest['value'];
  if (typeof text !== 'string' || !/^[[{]/.test(text)) return rest;
  return { ...rest, value: normalize(JSON.parse(text)) };
}
