import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Trigger } from '../../src/api/eventing/trigger.ts';
import type { Resource } from '../../src/api/resource.ts';
import { triggerReconciler } from '../../src/eventing/reconcilers/trigger.ts';
import { objectWorld } from './object-world.ts';

// Stories of upstream's Trigger reconciler, held against the one for the embedded log: what is about channels and Subscriptions is left out.

const path = fileURLToPath(new URL('../vectors/eventing/control-broker.json', import.meta.url));

interface Story {
  readonly id: string;
  readonly features?: Record<string, string>;
  readonly objects: readonly (string | Resource)[];
  readonly steps: readonly { readonly op: string; readonly kind?: string; readonly key?: string; readonly result?: StepResult }[];
}
interface StepResult {
  readonly error?: string;
  readonly status?: Record<string, unknown> & { readonly conditions?: Condition[] };
}
interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

const fields = [
  'subscriberUri',
  'subscriberCACerts',
  'subscriberAudience',
  'deadLetterSinkUri',
  'deadLetterSinkCACerts',
  'deadLetterSinkAudience',
] as const;
const conditionTypes = new Set(['BrokerReady', 'SubscriberResolved', 'DeadLetterSinkResolved', 'DependencyReady']);
/** Stories whose outcome is a channel's, a Subscription's or a service account's, of the filter's certificate, or of a class that does not run here. */
const aboutOthers = /^trigger\/(?:sub-|no-channel-annotations|oidc-sa|deleting|long-name|tls-|no-class|other-class)/;

function shown(status: StepResult['status'], error: string | undefined): unknown {
  const conditions = (status?.conditions ?? [])
    .filter(({ type }) => conditionTypes.has(type))
    .map(({ type, status: state, reason, message }) => ({ type, state, reason, message }))
    .sort((a, b) => (a.type < b.type ? -1 : 1));
  return { error, conditions, ...Object.fromEntries(fields.map((name) => [name, status?.[name]])) };
}

describe.skipIf(!existsSync(path))('stories of the Trigger reconciler', () => {
  const { meta, cases } = JSON.parse(readFileSync(path, 'utf8')) as {
    meta: { fixtures: Record<string, Resource> };
    cases: Story[];
  };
  const stories = cases.filter(
    ({ id, steps }) => id.startsWith('trigger/') && steps[0]?.op === 'reconcile' && !aboutOthers.test(id),
  );
  test.each(stories.map((story) => [story.id, story] as const))('%s', (_, { objects, steps, features }) => {
    const all = objects.flatMap((each) => (typeof each === 'string' ? (meta.fixtures[each] ?? []) : each));
    const [namespace, name] = (steps[0]?.key ?? '').split('/');
    const trigger = all.find(
      (each) => each.kind === 'Trigger' && each.metadata.name === name && each.metadata.namespace === namespace,
    );
    const world = objectWorld(all, { config: { 'config-features': features ?? {} } });
    const plan = triggerReconciler.reconcile(trigger as Trigger, world, 0);
    const { status, error } = steps[0]?.result ?? {};
    expect(shown(plan.status as StepResult['status'], plan.error)).toEqual(shown(status, error));
  });
});
