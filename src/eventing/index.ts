export { brokerReconciler, channelBrokerClass, runsOnEmbeddedLog } from './reconcilers/broker.ts';
export { resolveDestination, type Resolved } from './reconcilers/resolve-destination.ts';
export { brokerOf, triggerReconciler } from './reconcilers/trigger.ts';
