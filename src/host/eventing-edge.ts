import { eventingFeatures } from '../api/duck/features.ts';
import { brokerClassAnnotation, brokers, type Broker as BrokerResource } from '../api/eventing/broker.ts';
import { eventPolicies } from '../api/eventing/event-policy.ts';
import { triggers, type Trigger } from '../api/eventing/trigger.ts';
import { resourceKey } from '../api/resource.ts';
import type { Clock } from '../clock.ts';
import type { FactRegistry } from '../controller/facts.ts';
import type { MemoryStore } from '../controller/memory-store.ts';
import { messageOf } from '../errors.ts';
import { configData } from './config-maps.ts';
import {
  brokerOf,
  compileSenderRule,
  createBroker,
  createIngress,
  createSenderCheck,
  createTokenIssuer,
  createTokenVerifier,
  observeHops,
  runsOnEmbeddedLog,
  type Broker,
  type CompiledSenderRule,
  type EventLog,
  type SenderCheck,
  type TokenIssuer,
  type TokenVerifier,
  type TriggerOptions,
} from '../eventing/index.ts';
import { createMemoryNetwork, type Handler, type HttpClient } from '../http/index.ts';
import { jsonEqual } from '../json.ts';
import type { Logger } from '../logger.ts';
import type { Meter } from '../telemetry/index.ts';

/** Host of the brokers' ingress inside of the cluster, as upstream's. */
export const brokerIngressHost = 'broker-ingress.knative-eventing.svc.cluster.local';

export interface EventingEdgeOptions {
  readonly store: MemoryStore;
  readonly facts: FactRegistry;
  /** Sends to subscribers; knows the addresses of this host. */
  readonly client: HttpClient;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Gets the metrics of ingress and deliveries; default none. */
  readonly meter?: Meter | undefined;
  /** Where the events of a broker (`namespace/name`) on the embedded log are kept; default a memory log. */
  readonly logOf?: (broker: string) => EventLog | undefined;
  /** Logs of further broker classes, by the name in the class annotation. */
  readonly classes?: Readonly<Record<string, (broker: string) => EventLog>> | undefined;
  /** A broker is gone for good, and its log is closed. */
  readonly onRemoved?: (broker: string) => Promise<void>;
}

/** Runs a broker for each Broker resource and gives it the triggers of the resources that refer to it. */
export interface EventingEdge extends AsyncDisposable {
  /** Answers `POST /NAMESPACE/BROKER`. */
  readonly ingress: Handler;
  start(): void;
  broker(namespace: string, name: string): Broker | undefined;
  /** Issues the tokens of this host's senders, as a cluster does for its service accounts. */
  readonly issuer: TokenIssuer;
}

/** The issuer that upstream asks by default: the cluster itself, which here is the host. */
const clusterIssuer = 'https://kubernetes.default.svc';

interface Running {
  /** `undefined` until the log is open. */
  broker: Broker | undefined;
  readonly opened: Promise<void>;
  /** What each trigger was added with, so that a status change alone does not replace it. */
  readonly triggers: Map<string, unknown>;
}

export function createEventingEdge(options: EventingEdgeOptions): EventingEdge {
  const { store, facts, client, clock, logger, meter } = options;
  const running = new Map<string, Running>();
  const issuer = createTokenIssuer({ issuer: clusterIssuer, clock });
  const stopping = new Map<string, Promise<void>>();
  let closed = false;
  const subscriptions: Disposable[] = [];
  let brokerChanged: (key: string) => void = () => undefined;
  const config = (name: string): Readonly<Record<string, string>> => configData(store, name);
  const brokerKeyOf = (trigger: Trigger): string => {
    const { namespace, name } = brokerOf(trigger, { config });
    return `${namespace}/${name}`;
  };

  facts.provide<string, undefined>('broker-address', (changed) => {
    brokerChanged = changed;
    return { read: (key) => (running.get(key)?.broker !== undefined ? `http://${brokerIngressHost}/${key}` : undefined) };
  });

  function onBroker(resource: BrokerResource, gone: boolean): void {
    const key = resourceKey(resource.metadata.namespace, resource.metadata.name);
    const present = running.get(key);
    if (gone || !(runsOnEmbeddedLog(resource) || classLog(resource) !== undefined)) {
      if (present === undefined) return;
      running.delete(key);
      brokerChanged(key);
      void stop(key, present);
    } else if (present === undefined) running.set(key, start(key, resource));
    else applyTriggers(key);
  }

  function classLog({ metadata }: BrokerResource): ((broker: string) => EventLog) | undefined {
    const name = metadata.annotations?.[brokerClassAnnotation] ?? '';
    return options.classes !== undefined && Object.hasOwn(options.classes, name) ? options.classes[name] : undefined;
  }

  function start(key: string, resource: BrokerResource): Running {
    const { namespace, name } = resource.metadata;
    const log = runsOnEmbeddedLog(resource) ? options.logOf?.(key) : classLog(resource)?.(key);
    const open = async (): Promise<void> => {
      // A broker of the same name may still be letting go of its files.
      await stopping.get(key);
      try {
        const broker = await createBroker({
          ...(log === undefined ? {} : { log }),
          client,
          clock,
          logger: logger.child({ broker: key }),
          name,
          namespace: namespace ?? '',
          rawHeaders: ['Kn-Namespace', namespace ?? ''],
          history: true,
          ...(meter === undefined ? {} : { meter }),
        });
        entry.broker = broker;
        if (running.get(key) !== entry) return;
        brokerChanged(key);
        applyTriggers(key);
      } catch (error) {
        logger.error({ broker: key, error: messageOf(error) }, 'broker could not be started');
      }
    };
    const entry: Running = { broker: undefined, opened: Promise.resolve(), triggers: new Map() };
    return Object.assign(entry, { opened: open() });
  }

  function stop(key: string, entry: Running): Promise<void> {
    const stopped = entry.opened
      .then(() => entry.broker?.close())
      .then(() => (closed ? undefined : options.onRemoved?.(key)))
      .then(() => {
        if (stopping.get(key) === stopped) stopping.delete(key);
      });
    stopping.set(key, stopped);
    return stopped;
  }

  function applyTriggers(key: string): void {
    for (const trigger of store.view.list(triggers)) if (brokerKeyOf(trigger) === key) onTrigger(trigger, false);
  }

  function onTrigger(trigger: Trigger, gone: boolean): void {
    const name = resourceKey(trigger.metadata.namespace, trigger.metadata.name);
    const key = brokerKeyOf(trigger);
    for (const [other, { broker, triggers: added }] of running) {
      if ((other !== key || gone) && added.delete(name)) void broker?.removeTrigger(name);
    }
    const entry = running.get(key);
    const wanted = gone ? undefined : subscription(trigger, store.view.get(brokers, ...splitKey(key)));
    if (entry?.broker === undefined || wanted === undefined || jsonEqual(entry.triggers.get(name), wanted)) return;
    const { subscriberAudience, auth } = trigger.status ?? {};
    const subject = `system:serviceaccount:${trigger.metadata.namespace ?? ''}:${auth?.serviceAccountName ?? ''}`;
    // With OIDC switched on triggers have an identity, and subscribers with an audience get a token for it.
    const tokens =
      subscriberAudience === undefined || auth?.serviceAccountName === undefined
        ? {}
        : { rawHeaders: () => issuer.headers(subject, subscriberAudience) };
    try {
      entry.broker.addTrigger(name, { ...wanted, ...tokens });
      entry.triggers.set(name, wanted);
    } catch (error) {
      logger.error({ trigger: name, error: messageOf(error) }, 'trigger could not be started');
    }
  }

  return {
    ingress: createIngress({
      brokerOf: (namespace, name) => running.get(`${namespace}/${name}`)?.broker,
      mayPublish: senderCheck(options, issuer),
      ...(meter === undefined ? {} : { observer: observeHops({ component: 'ingress', meter, clock }) }),
    }),
    issuer,
    start() {
      subscriptions.push(
        store.watch({ kind: brokers }, ({ resource, type }) => onBroker(resource, type === 'DELETED')),
        store.watch({ kind: triggers }, ({ resource, type }) => onTrigger(resource, type === 'DELETED')),
      );
      for (const broker of store.view.list(brokers)) onBroker(broker, false);
    },
    broker: (namespace, name) => running.get(`${namespace}/${name}`)?.broker,
    async [Symbol.asyncDispose]() {
      for (const watching of subscriptions.splice(0)) watching[Symbol.dispose]();
      closed = true;
      await Promise.all([...running].map(([key, entry]) => stop(key, entry)));
      await Promise.all(stopping.values());
    },
  };
}

function splitKey(key: string): [string, string] {
  const slash = key.indexOf('/');
  return [key.slice(0, slash), key.slice(slash + 1)];
}

/**
 * How a trigger subscribes, `undefined` while its subscriber is not resolved. Delivery is the trigger's as a whole, else the broker's;
 * the dead letter address falls back to the broker's on its own.
 */
function subscription(
  trigger: Trigger,
  broker: BrokerResource | undefined,
): (Pick<Trigger['spec'], 'filter' | 'filters'> & TriggerOptions) | undefined {
  const { spec, status } = trigger;
  if (status?.subscriberUri === undefined) return undefined;
  const delivery = spec.delivery ?? broker?.spec?.delivery;
  const deadLetterSink = status.deadLetterSinkUri ?? broker?.status?.deadLetterSinkUri;
  const ordered = trigger.metadata.annotations?.['kafka.eventing.knative.dev/delivery.order'] === 'ordered';
  return {
    subscriber: status.subscriberUri,
    ...(spec.filter === undefined ? {} : { filter: spec.filter }),
    ...(spec.filters === undefined ? {} : { filters: spec.filters }),
    ...(delivery === undefined ? {} : { delivery }),
    ...(deadLetterSink === undefined ? {} : { deadLetterSink }),
    ...(ordered ? { order: 'ordered' as const } : {}),
  };
}

/** Who may send to the brokers: feature flag `authentication-oidc` with the policies that the brokers' status lists. */
function senderCheck({ store, client, clock, logger }: EventingEdgeOptions, issuer: TokenIssuer): SenderCheck {
  const flag = (name: string): string => eventingFeatures(configData(store, 'config-features')).get(name) ?? '';
  const verifiers = new Map<string, TokenVerifier>();
  const verifierOf = (discoveryUrl: string): TokenVerifier => {
    let verifier = verifiers.get(discoveryUrl);
    if (verifier === undefined) {
      const own = createMemoryNetwork({ fallback: issuer.handler }).client;
      verifier = createTokenVerifier({ discoveryUrl, client: discoveryUrl === clusterIssuer ? own : client, clock, logger });
      verifiers.set(discoveryUrl, verifier);
    }
    return verifier;
  };
  return createSenderCheck({
    verifier: {
      verify: (authorization, audience) => verifierOf(flag('oidc-discovery-base-url')).verify(authorization, audience),
    },
    enabled: () => flag('authentication-oidc') === 'Enabled',
    defaultMode: () => flag('default-authorization-mode'),
    resourceOf(namespace, name) {
      const broker = store.view.get(brokers, namespace, name);
      if (broker === undefined) return undefined;
      const rules: CompiledSenderRule[] = [];
      for (const { name: policyName } of broker.status?.policies ?? []) {
        const policy = store.view.get(eventPolicies, namespace, policyName);
        if (policy === undefined) return { audience: broker.status?.address?.audience, rules: 'missing' };
        rules.push(compileSenderRule({ subjects: policy.status?.from ?? [], filters: policy.spec.filters }));
      }
      return { audience: broker.status?.address?.audience, rules };
    },
  });
}
