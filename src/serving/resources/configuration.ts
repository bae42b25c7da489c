import { configurations, type Configuration } from '../../api/serving/configuration.ts';
import { services, type Service } from '../../api/serving/service.ts';
import { annotationKeys, annotationSpellings, labelKeys } from '../keys.ts';
import { controllerReference, joinList, listAnnotation, withoutKeys } from '../metadata.ts';
import { apiVersionOf } from '../../api/kind.ts';

const excludedAnnotations = new Set<string>([annotationKeys.lastApplied, ...annotationSpellings.rolloutDuration]);

/** The Configuration of a Service; routes that the existing one already knows stay in its annotation. */
export function makeConfiguration(service: Service, existing?: Configuration): Configuration {
  const { name, namespace, uid = '', labels, annotations } = service.metadata;
  const routes = listAnnotation(existing?.metadata.annotations, annotationKeys.routes).add(name);
  return {
    apiVersion: apiVersionOf(configurations),
    kind: configurations.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [controllerReference(services, service)],
      labels: { ...labels, [labelKeys.service]: name, [labelKeys.serviceUid]: uid },
      annotations: {
        ...withoutKeys(annotations, (key) => excludedAnnotations.has(key)),
        [annotationKeys.routes]: joinList(routes),
      },
    },
    spec: { template: service.spec.template },
  };
}
