import { livingConditionSet, manageConditions, type ConditionManager } from '../../api/conditions.ts';
import { eventingFeatures } from '../../api/duck/features.ts';
import { brokerClassAnnotation, brokers, type Broker, type BrokerStatus } from '../../api/eventing/broker.ts';
import type { Plan, Reader, Reconciler } from '../../api/reconciler.ts';
import { markEventPolicies } from './event-policies.ts';
import { startPass } from './pass.ts';
import { resolveDestination } from './resolve-destination.ts';

/** The class whose brokers run on channels upstream and on the embedded log here. */
export const channelBrokerClass = 'MTChannelBasedBroker';

/** What the TriggerChannelReady condition of a broker on the embedded log says. */
export const embeddedLogMessage = 'Events are kept in the embedded log: there is no trigger channel.';

const conditionSet = livingConditionSet(
  'IngressReady',
  'TriggerChannelReady',
  'FilterReady',
  'Addressable',
  'DeadLetterSinkResolved',
  'EventPoliciesReady',
);

/** True for brokers that run on the embedded log: of class MTChannelBasedBroker, or of none. */
export function runsOnEmbeddedLog(broker: Broker): boolean {
  const brokerClass = broker.metadata.annotations?.[brokerClassAnnotation];
  return brokerClass === undefined || brokerClass === '' || brokerClass === channelBrokerClass;
}

const hostLogReason = 'HostLog';

/** True for brokers that this package runs: on the embedded log, or of a class that the host has a log for. */
export function runsHere(broker: Broker): boolean {
  const kept = broker.status?.conditions?.find(({ type }) => type === 'TriggerChannelReady');
  return runsOnEmbeddedLog(broker) || (kept?.status === 'True' && kept.reason === hostLogReason);
}

/**
 * Gives a Broker its address and conditions. The address is the fact `broker-address` of key `namespace/name`, a URL; until the host
 * answers, the broker is not ready. A broker of another class than the embedded log's runs when the host answers for it.
 */
export const brokerReconciler: Reconciler<Broker> = {
  name: 'broker',
  kind: brokers,
  reconcile(broker, world, nowMs) {
    const { generation, namespace = '', name } = broker.metadata;
    const conditions = manageConditions(conditionSet, broker.status?.conditions, nowMs);
    const status: BrokerStatus = {
      ...(broker.status?.annotations === undefined ? {} : { annotations: broker.status.annotations }),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
    const finish = (error?: string): Plan => ({
      writes: [],
      status: { ...status, conditions: conditions.conditions },
      ...(error === undefined ? {} : { error, events: [{ type: 'Warning', reason: 'InternalError', message: error }] }),
    });
    startPass(conditions, generation !== broker.status?.observedGeneration);

    const url = world.fact<string>({ provider: 'broker-address', key: `${namespace}/${name}` });
    const brokerClass = broker.metadata.annotations?.[brokerClassAnnotation] ?? '';
    if (!runsOnEmbeddedLog(broker) && url === undefined) {
      conditions.markFalse(
        'TriggerChannelReady',
        'BrokerClassNotSupported',
        `Brokers of class ${JSON.stringify(brokerClass)} do not run here.`,
      );
      return finish();
    }
    if (runsOnEmbeddedLog(broker)) conditions.markTrue('TriggerChannelReady', 'EmbeddedLog', embeddedLogMessage);
    else
      conditions.markTrue(
        'TriggerChannelReady',
        hostLogReason,
        `Events are kept in the log of broker class ${JSON.stringify(brokerClass)}.`,
      );
    for (const type of ['IngressReady', 'FilterReady']) {
      if (url === undefined) conditions.markUnknown(type, 'BrokerNotStarted', 'The broker has not been started yet.');
      else conditions.markTrue(type);
    }
    const error = resolveDeadLetterSink(broker, world, status, conditions);
    if (error !== undefined) return finish(error);
    if (url === undefined) {
      conditions.markUnknown('Addressable', 'BrokerNotStarted', 'The broker has not been started yet.');
      return finish();
    }
    const oidc = eventingFeatures(world.config('config-features')).get('authentication-oidc') === 'Enabled';
    status.address = { name: 'http', url, ...(oidc ? { audience: `eventing.knative.dev/broker/${namespace}/${name}` } : {}) };
    conditions.markTrue('Addressable');
    markEventPolicies(broker, brokers, world, status, conditions);
    return finish();
  },
};

function resolveDeadLetterSink(
  broker: Broker,
  world: Reader,
  status: BrokerStatus,
  conditions: ConditionManager,
): string | undefined {
  const sink = broker.spec.delivery?.deadLetterSink;
  if (sink === undefined) {
    conditions.markTrue('DeadLetterSinkResolved', 'DeadLetterSinkNotConfigured', 'No dead letter sink is configured.');
    return undefined;
  }
  const resolved = resolveDestination(sink, world, broker.metadata.namespace);
  if (resolved.address === undefined) {
    conditions.markFalse('DeadLetterSinkResolved', "Unable to get the dead letter sink's URI", resolved.error);
    return resolved.error;
  }
  Object.assign(status, deadLetterStatus(resolved.address));
  conditions.markTrue('DeadLetterSinkResolved');
  return undefined;
}

/** The status fields that tell where dead letters go. */
export function deadLetterStatus(address: { url?: string; CACerts?: string; audience?: string }): BrokerStatus {
  return {
    ...(address.url === undefined ? {} : { deadLetterSinkUri: address.url }),
    ...(address.CACerts === undefined ? {} : { deadLetterSinkCACerts: address.CACerts }),
    ...(address.audience === undefined ? {} : { deadLetterSinkAudience: address.audience }),
  };
}
