import type { Destination } from '../../src/api/duck/destination.ts';
import type { Resource } from '../../src/api/resource.ts';
import { eventOrThrow } from '../../src/cloudevents/event-fault.ts';
import { eventOfJson } from '../../src/cloudevents/json-format.ts';
import { compileSenderRule, senderRulesAllow, type SenderRule } from '../../src/eventing/filters/event-policy.ts';
import { resolveDestination } from '../../src/eventing/reconcilers/resolve-destination.ts';
import { objectWorld } from '../eventing/object-world.ts';
import type { FileReplay } from './eventing.files.ts';
import { differencesOf } from './replay.ts';

interface PolicyCase {
  readonly id: string;
  readonly subject: string;
  readonly policies: readonly SenderRule[];
  readonly event: unknown;
  readonly allowed: boolean;
}

/** eventpolicy-match.json: whether a subject may send an event. */
export const eventPolicyMatch: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as PolicyCase;
    yield {
      file,
      id: vector.id,
      expected: vector.allowed,
      check(expected) {
        const rules = vector.policies.map(compileSenderRule);
        return differencesOf(expected, senderRulesAllow(rules, vector.subject, eventOrThrow(eventOfJson(vector.event))));
      },
    };
  }
};

interface ResolveCase {
  readonly id: string;
  readonly destination: Destination;
  readonly objects: readonly Resource[];
  readonly addressable?: unknown;
  readonly error?: string;
  readonly decodeError?: string;
}

/** resolve.json: the address that a destination stands for. */
export const resolve: FileReplay = function* (file, cases) {
  for (const item of cases) {
    const vector = item as unknown as ResolveCase;
    const error = vector.error ?? vector.decodeError;
    yield {
      file,
      id: vector.id,
      expected: error === undefined ? { address: vector.addressable } : { error },
      check: (expected) => differencesOf(expected, resolveDestination(vector.destination, objectWorld(vector.objects))),
    };
  }
};
