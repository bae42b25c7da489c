import { images, type Image } from '../../api/caching/image.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { revisions, type Revision } from '../../api/serving/revision.ts';
import { childName } from '../../api/child-name.ts';
import { controllerReference } from '../metadata.ts';
import { revisionChildLabels, workloadAnnotations } from './revision-metadata.ts';

export function imageName(revision: Revision, container: string): string {
  return childName(childName(revision.metadata.name, '-cache'), `-${container}`);
}

/** Asks for a container's image to be kept near the nodes. */
export function makeImage(revision: Revision, container: string, digest: string): Image {
  const { namespace } = revision.metadata;
  const { serviceAccountName, imagePullSecrets } = revision.spec;
  return {
    apiVersion: apiVersionOf(images),
    kind: images.kind,
    metadata: {
      name: imageName(revision, container),
      ...(namespace !== undefined && { namespace }),
      labels: revisionChildLabels(revision),
      annotations: workloadAnnotations(revision),
      ownerReferences: [controllerReference(revisions, revision)],
    },
    spec: {
      image: digest,
      ...(serviceAccountName !== undefined && { serviceAccountName }),
      ...(imagePullSecrets !== undefined && { imagePullSecrets }),
    },
  };
}
