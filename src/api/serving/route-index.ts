import type { Resource } from '../resource.ts';

/** Annotation in which the labeler keeps the names of the routes that use a Revision or Configuration, separated by commas. */
export const routesAnnotation = 'serving.knative.dev/routes';

/** Index entry of the Revisions and Configurations that a route of the same namespace uses. */
export const routeIndexEntry = (namespace: string | undefined, route: string): string => `route=${namespace ?? ''}/${route}`;

/** The declared index of Revisions and Configurations: the routes that use them. */
export function indexedByRoute({ metadata }: Resource): readonly string[] {
  const text = metadata.annotations?.[routesAnnotation];
  return text === undefined || text === '' ? [] : text.split(',').map((route) => routeIndexEntry(metadata.namespace, route));
}
