export * as api from './api/index.ts';
export * as autoscaler from './autoscaler/index.ts';
export * as cloudevents from './cloudevents/index.ts';
export * as eventing from './eventing/index.ts';
export * as functions from './functions/index.ts';
export * as host from './host/index.ts';
export * as serving from './serving/index.ts';
export * as testing from './testing/index.ts';
