import { apiVersionOf } from '../../api/kind.ts';
import { routes, type Route } from '../../api/serving/route.ts';
import { services, type Service } from '../../api/serving/service.ts';
import { annotationKeys, labelKeys } from '../keys.ts';
import { controllerReference, withoutKeys } from '../metadata.ts';

/** The Route of a Service: targets that name no revision follow the Service's Configuration. */
export function makeRoute(service: Service): Route {
  const { name, namespace, labels, annotations } = service.metadata;
  return {
    apiVersion: apiVersionOf(routes),
    kind: routes.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ownerReferences: [controllerReference(services, service)],
      labels: { ...labels, [labelKeys.service]: name },
      annotations: withoutKeys(annotations, (key) => key === annotationKeys.lastApplied),
    },
    spec: {
      traffic: (service.spec.traffic ?? []).map((target) =>
        target.revisionName === undefined || target.revisionName === '' ? { ...target, configurationName: name } : target,
      ),
    },
  };
}
