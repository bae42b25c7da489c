import { apiVersionOf } from '../../api/kind.ts';
import { configurations, type Configuration } from '../../api/serving/configuration.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { rfc3339 } from '../../time.ts';
import { childName } from '../../api/child-name.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { controllerReference } from '../metadata.ts';

/** The name of the Revision that a Configuration's current generation makes: the template's own, or a numbered one. */
export function revisionNameOf(configuration: Configuration): string {
  const own = configuration.spec.template.metadata.name;
  if (own !== undefined && own !== '') return own;
  return childName(configuration.metadata.name, `-${String(configuration.metadata.generation ?? 0).padStart(5, '0')}`);
}

/** The Revision of a Configuration's current generation, active at once when a route is known to use the Configuration. */
export function makeRevision(configuration: Configuration, nowMs: number): Revision {
  const { name, namespace, uid = '', labels = {}, annotations = {}, generation = 0 } = configuration.metadata;
  const template = configuration.spec.template;
  const { [annotationKeys.lastModifier]: updater, [annotationKeys.routes]: routes } = annotations;
  const { [labelKeys.service]: service, [labelKeys.serviceUid]: serviceUid } = labels;
  return {
    apiVersion: apiVersionOf(revisions),
    kind: revisions.kind,
    metadata: {
      ...template.metadata,
      name: revisionNameOf(configuration),
      ...(namespace !== undefined && { namespace }),
      labels: {
        ...template.metadata.labels,
        [labelKeys.routingState]: routes === undefined ? 'pending' : 'active',
        [labelKeys.configuration]: name,
        [labelKeys.configurationGeneration]: String(generation),
        [labelKeys.configurationUid]: uid,
        ...(service !== undefined && service !== '' && { [labelKeys.service]: service }),
        ...(serviceUid !== undefined && serviceUid !== '' && { [labelKeys.serviceUid]: serviceUid }),
      },
      annotations: {
        ...template.metadata.annotations,
        [annotationKeys.routingStateModified]: rfc3339(nowMs),
        ...(updater !== undefined && { [annotationKeys.creator]: updater }),
        ...(routes !== undefined && { [annotationKeys.routes]: routes }),
      },
      ownerReferences: [...(template.metadata.ownerReferences ?? []), controllerReference(configurations, configuration)],
    },
    spec: template.spec,
  };
}
