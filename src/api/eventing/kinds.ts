import { parallels } from '../flows/parallel.ts';
import { sequences } from '../flows/sequence.ts';
import type { Kind } from '../kind.ts';
import { channels } from '../messaging/channel.ts';
import { inMemoryChannels } from '../messaging/in-memory-channel.ts';
import { subscriptions } from '../messaging/subscription.ts';
import { integrationSinks } from '../sinks/integration-sink.ts';
import { jobSinks } from '../sinks/job-sink.ts';
import { apiServerSources } from '../sources/api-server-source.ts';
import { containerSources } from '../sources/container-source.ts';
import { integrationSources } from '../sources/integration-source.ts';
import { pingSources } from '../sources/ping-source.ts';
import { sinkBindings } from '../sources/sink-binding.ts';
import { brokers } from './broker.ts';
import { eventPolicies } from './event-policy.ts';
import { eventTransforms } from './event-transform.ts';
import { eventTypes } from './event-type.ts';
import { requestReplies } from './request-reply.ts';
import { triggers } from './trigger.ts';

/** Kinds of Knative Eventing: brokers, messaging, flows, sources and sinks. */
export const eventingKinds: readonly Kind[] = [
  brokers,
  triggers,
  channels,
  inMemoryChannels,
  subscriptions,
  sequences,
  parallels,
  pingSources,
  apiServerSources,
  containerSources,
  sinkBindings,
  integrationSources,
  jobSinks,
  integrationSinks,
  eventPolicies,
  eventTransforms,
  eventTypes,
  requestReplies,
];
