import type { Kind } from '../kind.ts';
import { brokers } from './broker.ts';
import { triggers } from './trigger.ts';

/** Kinds of Knative Eventing: brokers, messaging, flows, sources and sinks. */
export const eventingKinds: readonly Kind[] = [brokers, triggers];
