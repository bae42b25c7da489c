import { findCondition } from '../../api/conditions.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { configurations, type Configuration, type ConfigurationStatus } from '../../api/serving/configuration.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { jsonEqual } from '../../json.ts';
import { labelKeys } from '../keys.ts';
import {
  configurationConditions,
  markLatestCreatedFailed,
  markRevisionCreationFailed,
  setLatestCreatedRevisionName,
  setLatestReadyRevisionName,
} from '../lifecycle/configuration.ts';
import { isReady } from '../lifecycle/readiness.ts';
import { runPass, type Pass } from '../pass.ts';
import { makeRevision, revisionNameOf } from '../resources/revision.ts';
import { isNameTaken } from './service.ts';

/** Configuration → one Revision per generation; its status names the newest one and the newest ready one. */
export const configurationReconciler: Reconciler<Configuration> = {
  name: 'configuration',
  kind: configurations,
  reconcile(configuration, world, nowMs) {
    return runPass<ConfigurationStatus>(configuration, configurationConditions, nowMs, {}, (pass) => {
      const ownName = configuration.spec.template.metadata.name ?? '';
      if (ownName !== '' && isNameTaken(configuration, ownName, world)) {
        markRevisionCreationFailed(pass.conditions, `revisions.serving.knative.dev "${ownName}" already exists`);
        return;
      }
      const created = findCurrentRevision(configuration, world) ?? createRevision(pass, configuration);
      setLatestCreatedRevisionName(pass.conditions, pass.status, created.metadata.name);
      judgeLatestCreated(pass, created);
      findLatestReady(pass, configuration, created, world);
    });
  },
};

/** The Revision of the current template: by its own name, or by the generation that it was made from. */
function findCurrentRevision(configuration: Configuration, world: Reader): Revision | undefined {
  const { namespace, name, generation = 0 } = configuration.metadata;
  const ownName = configuration.spec.template.metadata.name ?? '';
  if (ownName !== '') return world.get(revisions, namespace, ownName);
  const labels = { [labelKeys.configuration]: name, [labelKeys.configurationGeneration]: String(generation) };
  const [first] = world.list(revisions, { ...(namespace !== undefined && { namespace }), labels });
  if (first !== undefined) return first;
  // A revision of that name whose labels have not been seen yet (or were edited) must not be created again.
  return world.get(revisions, namespace, revisionNameOf(configuration));
}

function createRevision(pass: Pass<ConfigurationStatus>, configuration: Configuration): Revision {
  const revision = pass.create(revisions, makeRevision(configuration, pass.nowMs));
  pass.event('Created', `Created Revision "${revision.metadata.name}"`);
  return revision;
}

function judgeLatestCreated(pass: Pass<ConfigurationStatus>, revision: Revision): void {
  const ready = findCondition(revision.status?.conditions, 'Ready');
  const { name } = revision.metadata;
  if (ready?.status === 'True') {
    if ((pass.status.latestReadyRevisionName ?? '') === '') pass.event('ConfigurationReady', 'Configuration becomes ready');
  } else if (ready?.status === 'False') {
    const before = pass.conditions.get('Ready');
    markLatestCreatedFailed(pass.conditions, name, ready.message ?? '');
    if (jsonEqual(before, pass.conditions.get('Ready'))) return;
    if (name === pass.status.latestReadyRevisionName) {
      pass.event('LatestReadyFailed', `Latest ready revision "${name}" has failed`, 'Warning');
    } else pass.event('LatestCreatedFailed', `Latest created revision "${name}" has failed`, 'Warning');
  }
}

function findLatestReady(pass: Pass<ConfigurationStatus>, configuration: Configuration, created: Revision, world: Reader): void {
  const latest = sortedRevisions(pass, configuration, created, world).find(isReady);
  if (latest === undefined) return;
  const { name } = latest.metadata;
  if (pass.status.latestReadyRevisionName !== name) {
    pass.event('LatestReadyUpdate', `LatestReadyRevisionName updated to "${name}"`);
  }
  setLatestReadyRevisionName(pass.conditions, pass.status, name);
}

/** Revisions that may be the latest ready one, newest first: none older than the one that is it now. */
function sortedRevisions(
  pass: Pass<ConfigurationStatus>,
  configuration: Configuration,
  created: Revision,
  world: Reader,
): readonly Revision[] {
  const { namespace, name, generation = 0 } = configuration.metadata;
  const ownName = configuration.spec.template.metadata.name ?? '';
  let candidates = world.list(revisions, {
    ...(namespace !== undefined && { namespace }),
    labels: { [labelKeys.configuration]: name },
  });
  const readyName = pass.status.latestReadyRevisionName ?? '';
  const latestReady = readyName === '' ? undefined : world.get(revisions, namespace, readyName);
  if (latestReady !== undefined) {
    const from = generationOf(latestReady) ?? generation;
    const createdGeneration = ownName === '' ? undefined : generationOf(created);
    candidates = candidates.filter((revision) => {
      const own = generationOf(revision);
      return own !== undefined && ((own >= from && own <= generation) || own === createdGeneration);
    });
  }
  const rank = (revision: Revision): number => (ownName === revision.metadata.name ? Infinity : (generationOf(revision) ?? -1));
  return candidates.slice().sort((a, b) => rank(b) - rank(a) || 0);
}

function generationOf(revision: Revision): number | undefined {
  const text = revision.metadata.labels?.[labelKeys.configurationGeneration];
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
}
