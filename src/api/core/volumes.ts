import {
  annotate,
  anyObject,
  array,
  boolean,
  int32,
  int64,
  map,
  object,
  oneOf,
  plainBoolean,
  present,
  quantity,
  required,
  string,
  type TypeOf,
} from '../schema.ts';
import { labelSelector, templateMeta } from './metadata.ts';

const fileMode = annotate(int32, { description: 'permission bits, such as 0644' });
const keyToPath = object({ key: required(string), path: required(string), mode: fileMode });
const secretName = object({ name: string });

const downwardFile = object({
  path: required(string),
  fieldRef: object({ apiVersion: string, fieldPath: required(string) }),
  resourceFieldRef: object({ containerName: string, resource: required(string), divisor: present(quantity) }),
  mode: fileMode,
});

export const volumeProjection = object({
  secret: object({ name: string, items: array(keyToPath), optional: boolean }),
  configMap: object({ name: string, items: array(keyToPath), optional: boolean }),
  downwardAPI: object({ items: array(downwardFile) }),
  serviceAccountToken: object({ audience: string, expirationSeconds: int64, path: required(string) }),
  clusterTrustBundle: object({
    name: string,
    signerName: string,
    labelSelector,
    optional: boolean,
    path: required(string),
  }),
  podCertificate: anyObject,
});
export type VolumeProjection = TypeOf<typeof volumeProjection>;

export const persistentVolumeClaimSpec = object({
  accessModes: array(string),
  selector: labelSelector,
  resources: object({ limits: map(quantity), requests: map(quantity) }),
  volumeName: string,
  storageClassName: string,
  volumeMode: string,
  dataSource: object({ apiGroup: string, kind: required(string), name: required(string) }),
  dataSourceRef: object({ apiGroup: string, kind: required(string), name: required(string), namespace: string }),
  volumeAttributesClassName: string,
});

/** `corev1.Volume` with the sources that Knative knows in detail; the others are open objects that validation refuses. */
export const volume = object({
  name: required(string),
  secret: object({ secretName: string, items: array(keyToPath), defaultMode: fileMode, optional: boolean }),
  configMap: object({ name: string, items: array(keyToPath), defaultMode: fileMode, optional: boolean }),
  projected: object({ sources: array(volumeProjection), defaultMode: fileMode }),
  emptyDir: object({ medium: string, sizeLimit: quantity }),
  persistentVolumeClaim: object({ claimName: required(string), readOnly: plainBoolean }),
  hostPath: object({ path: required(string), type: string }),
  csi: object({
    driver: required(string),
    readOnly: boolean,
    fsType: string,
    volumeAttributes: map(string),
    nodePublishSecretRef: secretName,
  }),
  image: object({ reference: string, pullPolicy: oneOf('Always', 'IfNotPresent', 'Never') }),
  downwardAPI: object({ items: array(downwardFile), defaultMode: fileMode }),
  nfs: object({ server: required(string), path: required(string), readOnly: plainBoolean }),
  ephemeral: object({
    volumeClaimTemplate: object({ metadata: templateMeta, spec: persistentVolumeClaimSpec }),
  }),
  gcePersistentDisk: anyObject,
  awsElasticBlockStore: anyObject,
  gitRepo: anyObject,
  iscsi: anyObject,
  glusterfs: anyObject,
  rbd: anyObject,
  flexVolume: anyObject,
  cinder: anyObject,
  cephfs: anyObject,
  flocker: anyObject,
  fc: anyObject,
  azureFile: anyObject,
  azureDisk: anyObject,
  vsphereVolume: anyObject,
  quobyte: anyObject,
  portworxVolume: anyObject,
  photonPersistentDisk: anyObject,
  scaleIO: anyObject,
  storageos: anyObject,
});
export type Volume = TypeOf<typeof volume>;
