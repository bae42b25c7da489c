import { describe, expect, test } from 'vitest';
import type { Broker, BrokerStatus } from '../../src/api/eventing/broker.ts';
import type { Trigger, TriggerStatus } from '../../src/api/eventing/trigger.ts';
import type { Resource } from '../../src/api/resource.ts';
import { brokerReconciler } from '../../src/eventing/reconcilers/broker.ts';
import { triggerReconciler } from '../../src/eventing/reconcilers/trigger.ts';
import { objectWorld } from './object-world.ts';

const nowMs = 1_700_000_000_000;
const facts = { 'broker-address shop/main': 'http://broker-ingress.knative-eventing.svc.cluster.local/shop/main' };

function broker(over: Partial<Broker> = {}): Broker {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Broker',
    metadata: { namespace: 'shop', name: 'main', generation: 1 },
    spec: {},
    ...over,
  };
}

function trigger(spec: Trigger['spec'], annotations: Record<string, string> = {}): Trigger {
  return {
    apiVersion: 'eventing.knative.dev/v1',
    kind: 'Trigger',
    metadata: { namespace: 'shop', name: 't1', generation: 1, annotations },
    spec: { broker: 'main', ...spec },
  };
}

const sink = (name: string, status: object | undefined): Resource => ({
  apiVersion: 'example.dev/v1',
  kind: 'Sink',
  metadata: { namespace: 'shop', name },
  ...(status === undefined ? {} : { status }),
});

const brief = (status: { conditions?: readonly { type: string; status: string; reason?: string }[] }): Record<string, string> =>
  Object.fromEntries(
    (status.conditions ?? []).map(({ type, status: value, reason }) => [type, reason ? `${value} ${reason}` : value]),
  );

function readyBroker(over: Partial<Broker> = {}, objects: Resource[] = []): Broker {
  const fresh = broker(over);
  const status = brokerReconciler.reconcile(fresh, objectWorld([fresh, ...objects], { facts }), nowMs).status as BrokerStatus;
  return { ...fresh, status };
}

describe('broker', () => {
  test('of no class runs on the embedded log and says so', () => {
    const plan = brokerReconciler.reconcile(broker(), objectWorld([], { facts }), nowMs);
    const status = plan.status as BrokerStatus;
    expect(status.address).toEqual({ name: 'http', url: facts['broker-address shop/main'] });
    expect(status.observedGeneration).toBe(1);
    expect(brief(status)).toEqual({
      Addressable: 'True',
      DeadLetterSinkResolved: 'True DeadLetterSinkNotConfigured',
      EventPoliciesReady: 'True OIDCDisabled',
      FilterReady: 'True',
      IngressReady: 'True',
      Ready: 'True',
      TriggerChannelReady: 'True EmbeddedLog',
    });
    expect(status.conditions?.find(({ type }) => type === 'TriggerChannelReady')?.message).toContain('embedded log');
  });

  test('waits for its address', () => {
    const status = brokerReconciler.reconcile(broker(), objectWorld([]), nowMs).status as BrokerStatus;
    expect(status.address).toBeUndefined();
    expect(brief(status)['Ready']).toBe('Unknown BrokerNotStarted');
  });

  test('of a class that does not run here is not ready, with the reason', () => {
    const other = broker({
      metadata: { name: 'main', namespace: 'shop', annotations: { 'eventing.knative.dev/broker.class': 'Kafka' } },
    });
    const status = brokerReconciler.reconcile(other, objectWorld([]), nowMs).status as BrokerStatus;
    expect(brief(status)['Ready']).toBe('False BrokerClassNotSupported');
    // The host answers for classes that it has a log for.
    const running = brokerReconciler.reconcile(other, objectWorld([], { facts }), nowMs).status as BrokerStatus;
    expect(brief(running)).toMatchObject({ Ready: 'True', TriggerChannelReady: 'True HostLog' });
  });

  test('stops at a dead letter sink that is missing, and recovers', () => {
    const spec = { delivery: { deadLetterSink: { ref: { apiVersion: 'example.dev/v1', kind: 'Sink', name: 'd' } } } };
    const first = brokerReconciler.reconcile(broker({ spec }), objectWorld([], { facts }), nowMs);
    expect(first.error).toBe('failed to get object shop/d: sinks.example.dev "d" not found');
    expect(first.events).toEqual([{ type: 'Warning', reason: 'InternalError', message: first.error }]);
    expect(brief(first.status as BrokerStatus)).toMatchObject({
      Ready: "False Unable to get the dead letter sink's URI",
      Addressable: 'Unknown',
    });
    const world = objectWorld([sink('d', { address: { url: 'http://d.example/x' } })], { facts });
    const second = brokerReconciler.reconcile(broker({ spec, status: first.status as BrokerStatus }), world, nowMs + 5_000);
    expect(second.status).toMatchObject({ deadLetterSinkUri: 'http://d.example/x' });
    expect(brief(second.status as BrokerStatus)['Ready']).toBe('True');
  });

  test('is settled: a second pass changes nothing', () => {
    const settled = readyBroker();
    const again = brokerReconciler.reconcile(settled, objectWorld([], { facts }), nowMs + 60_000);
    expect(again.status).toEqual(settled.status);
  });
});

describe('trigger', () => {
  const reconcile = (subject: Trigger, ...objects: Resource[]): { status: TriggerStatus; error: string | undefined } => {
    const plan = triggerReconciler.reconcile(subject, objectWorld(objects), nowMs);
    return { status: plan.status as TriggerStatus, error: plan.error };
  };

  test('resolves a subscriber of its own namespace', () => {
    const subscriber = { ref: { apiVersion: 'example.dev/v1', kind: 'Sink', name: 's' }, uri: '/in' };
    const { status, error } = reconcile(
      trigger({ subscriber }),
      readyBroker(),
      sink('s', { address: { url: 'http://s.example' } }),
    );
    expect(error).toBeUndefined();
    expect(status.subscriberUri).toBe('http://s.example/in');
    expect(brief(status)).toEqual({
      BrokerReady: 'True',
      DeadLetterSinkResolved: 'True DeadLetterSinkNotConfigured',
      DependencyReady: 'True',
      OIDCIdentityCreated: 'True authentication-oidc feature disabled',
      Ready: 'True',
      SubscriberResolved: 'True',
      SubscriptionReady: 'True EmbeddedLog',
    });
  });

  test('a core Service becomes its cluster DNS name', () => {
    const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'shop', name: 's' } };
    const { status } = reconcile(
      trigger({ subscriber: { ref: { apiVersion: 'v1', kind: 'Service', name: 's' } } }),
      readyBroker(),
      service,
    );
    expect(status.subscriberUri).toBe('http://s.shop.svc.cluster.local');
  });

  test('fails while broker or subscriber is missing', () => {
    expect(brief(reconcile(trigger({ subscriber: { uri: 'http://x.example' } })).status)['Ready']).toBe(
      'False BrokerDoesNotExist',
    );
    const missing = reconcile(
      trigger({ subscriber: { ref: { apiVersion: 'example.dev/v1', kind: 'Sink', name: 's' } } }),
      readyBroker(),
    );
    expect(missing.error).toBe('failed to get object shop/s: sinks.example.dev "s" not found');
    expect(brief(missing.status)).toMatchObject({
      Ready: "False Unable to get the Subscriber's URI",
      DependencyReady: 'Unknown',
    });
  });

  test("takes over the broker's dead letter sink", () => {
    const target = readyBroker({ spec: { delivery: { deadLetterSink: { uri: 'http://d.example' } } } });
    const { status } = reconcile(trigger({ subscriber: { uri: 'http://x.example' } }), target);
    expect(status.deadLetterSinkUri).toBe('http://d.example');
  });

  test('follows its dependency', () => {
    const annotations = { 'knative.dev/dependency': '{"kind":"Source","name":"src","apiVersion":"example.dev/v1"}' };
    const subject = trigger({ subscriber: { uri: 'http://x.example' } }, annotations);
    const source = (status: object): Resource => ({
      apiVersion: 'example.dev/v1',
      kind: 'Source',
      metadata: { namespace: 'shop', name: 'src', generation: 1 },
      status,
    });
    expect(reconcile(subject, readyBroker()).error).toContain('sources.example.dev "src" not found');
    const waiting = reconcile(
      subject,
      readyBroker(),
      source({ observedGeneration: 1, conditions: [{ type: 'Ready', status: 'Unknown', reason: 'Hmm' }] }),
    );
    expect(brief(waiting.status)['Ready']).toBe('Unknown Hmm');
    const ready = reconcile(
      subject,
      readyBroker(),
      source({ observedGeneration: 1, conditions: [{ type: 'Ready', status: 'True' }] }),
    );
    expect(brief(ready.status)['Ready']).toBe('True');
    const broken = reconcile(
      trigger({ subscriber: { uri: 'http://x.example' } }, { 'knative.dev/dependency': 'pingsource' }),
      readyBroker(),
    );
    expect(broken.error).toBe(
      'getting object ref from dependency annotation "pingsource": invalid character \'p\' looking for beginning of value',
    );
  });
});
