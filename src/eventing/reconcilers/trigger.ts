import { livingConditionSet, manageConditions, type ConditionManager } from '../../api/conditions.ts';
import { eventingFeatures } from '../../api/duck/features.ts';
import { brokers, type Broker } from '../../api/eventing/broker.ts';
import { triggers, type Trigger, type TriggerStatus } from '../../api/eventing/trigger.ts';
import type { Plan, Reader, Reconciler } from '../../api/reconciler.ts';
import { deadLetterStatus, runsHere } from './broker.ts';
import { propagateDependency } from './dependency.ts';
import { startPass } from './pass.ts';
import { resolveDestination } from './resolve-destination.ts';

const conditionSet = livingConditionSet(
  'BrokerReady',
  'SubscriptionReady',
  'DependencyReady',
  'SubscriberResolved',
  'DeadLetterSinkResolved',
  'OIDCIdentityCreated',
);

/** What the SubscriptionReady condition of a trigger on the embedded log says. */
export const embeddedDeliveryMessage = 'The broker delivers from the embedded log: there is no Subscription.';

/** Namespace and name of the Broker of a Trigger. `brokerRef` counts only with the feature `cross-namespace-event-links`. */
export function brokerOf(trigger: Trigger, world: Pick<Reader, 'config'>): { namespace: string; name: string } {
  const namespace = trigger.metadata.namespace ?? '';
  const ref = trigger.spec.brokerRef;
  if (ref !== undefined && eventingFeatures(world.config('config-features')).get('cross-namespace-event-links') === 'Enabled') {
    return { namespace: ref.namespace ?? namespace, name: ref.name ?? '' };
  }
  return { namespace, name: trigger.spec.broker ?? '' };
}

/** Resolves a Trigger's subscriber and dead letter sink and tells in its conditions whether events will flow. */
export const triggerReconciler: Reconciler<Trigger> = {
  name: 'trigger',
  kind: triggers,
  reconcile(trigger, world, nowMs) {
    const { generation } = trigger.metadata;
    const conditions = manageConditions(conditionSet, trigger.status?.conditions, nowMs);
    const status: TriggerStatus = {
      ...(trigger.status?.annotations === undefined ? {} : { annotations: trigger.status.annotations }),
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
    const finish = (error?: string): Plan => ({
      writes: [],
      status: { ...status, conditions: conditions.conditions },
      ...(error === undefined ? {} : { error, events: [{ type: 'Warning', reason: 'InternalError', message: error }] }),
    });
    startPass(conditions, generation !== trigger.status?.observedGeneration);

    const { namespace, name } = brokerOf(trigger, world);
    const broker = world.get(brokers, namespace, name);
    if (broker === undefined) {
      conditions.markFalse('BrokerReady', 'BrokerDoesNotExist', `Broker ${JSON.stringify(name)} does not exist`);
      return finish();
    }
    if (!propagateBroker(broker, conditions)) return finish();
    const error =
      resolveSubscriber(trigger, world, status, conditions) ?? resolveDeadLetterSink(trigger, broker, world, status, conditions);
    if (error !== undefined) return finish(error);
    markIdentity(trigger, world, status, conditions);
    conditions.markTrue('SubscriptionReady', 'EmbeddedLog', embeddedDeliveryMessage);
    return finish(propagateDependency(trigger, world, conditions));
  },
};

// The host signs for service accounts by name, so there is none to make.
function markIdentity(trigger: Trigger, world: Reader, status: TriggerStatus, conditions: ConditionManager): void {
  const oidc = eventingFeatures(world.config('config-features')).get('authentication-oidc') === 'Enabled';
  if (oidc) {
    status.auth = { serviceAccountName: `${trigger.metadata.name}-oidc-${triggers.group}-${triggers.kind.toLowerCase()}` };
    conditions.markTrue('OIDCIdentityCreated');
  } else conditions.markTrue('OIDCIdentityCreated', 'authentication-oidc feature disabled');
}

// True when the broker is ready, so that the rest of the trigger can be worked on.
function propagateBroker(broker: Broker, conditions: ConditionManager): boolean {
  const ready = broker.status?.conditions?.find((condition) => condition.type === 'Ready');
  if (ready === undefined) {
    conditions.markUnknown('BrokerReady', 'BrokerNotConfigured', 'Broker has not yet been reconciled.');
    return false;
  }
  if (ready.status === 'True') conditions.markTrue('BrokerReady');
  else if (ready.status === 'False') conditions.markFalse('BrokerReady', ready.reason, ready.message);
  else conditions.markUnknown('BrokerReady', ready.reason, ready.message);
  const observed = broker.metadata.generation === undefined || broker.status?.observedGeneration === broker.metadata.generation;
  return ready.status === 'True' && observed && runsHere(broker);
}

function resolveSubscriber(
  trigger: Trigger,
  world: Reader,
  status: TriggerStatus,
  conditions: ConditionManager,
): string | undefined {
  const resolved = resolveDestination(trigger.spec.subscriber ?? {}, world, trigger.metadata.namespace);
  if (resolved.address === undefined) {
    conditions.markFalse('SubscriberResolved', "Unable to get the Subscriber's URI", resolved.error);
    return resolved.error;
  }
  const { url, CACerts, audience } = resolved.address;
  if (url !== undefined) status.subscriberUri = url;
  if (CACerts !== undefined) status.subscriberCACerts = CACerts;
  if (audience !== undefined) status.subscriberAudience = audience;
  conditions.markTrue('SubscriberResolved');
  return undefined;
}

function resolveDeadLetterSink(
  trigger: Trigger,
  broker: Broker,
  world: Reader,
  status: TriggerStatus,
  conditions: ConditionManager,
): string | undefined {
  const own = trigger.spec.delivery?.deadLetterSink;
  if (own !== undefined) {
    const resolved = resolveDestination(own, world, trigger.metadata.namespace);
    if (resolved.address === undefined) {
      conditions.markFalse('DeadLetterSinkResolved', "Unable to get the dead letter sink's URI", resolved.error);
      return resolved.error;
    }
    Object.assign(status, deadLetterStatus(resolved.address));
  } else if (broker.spec.delivery?.deadLetterSink !== undefined) {
    const { deadLetterSinkUri: url, deadLetterSinkCACerts, deadLetterSinkAudience } = broker.status ?? {};
    if (url === undefined) {
      const problem = `roker ${broker.metadata.name} didn't set status.deadLetterSinkURI`;
      conditions.markFalse('DeadLetterSinkResolved', `B${problem}`);
      return `b${problem}`;
    }
    status.deadLetterSinkUri = url;
    if (deadLetterSinkCACerts !== undefined) status.deadLetterSinkCACerts = deadLetterSinkCACerts;
    if (deadLetterSinkAudience !== undefined) status.deadLetterSinkAudience = deadLetterSinkAudience;
  } else {
    conditions.markTrue('DeadLetterSinkResolved', 'DeadLetterSinkNotConfigured', 'No dead letter sink is configured.');
    return undefined;
  }
  conditions.markTrue('DeadLetterSinkResolved');
  return undefined;
}
