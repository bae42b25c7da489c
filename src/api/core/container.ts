import {
  anyObject,
  array,
  boolean,
  describe,
  int32,
  int64,
  intOrString,
  map,
  object,
  oneOf,
  plainBoolean,
  plainInt32,
  present,
  quantity,
  required,
  string,
  type TypeOf,
} from '../schema.ts';

const selectorOf = (key: string) => object({ [key]: required(string), name: string, optional: boolean });

export const envVar = object({
  name: required(string),
  value: string,
  valueFrom: object({
    fieldRef: object({ apiVersion: string, fieldPath: required(string) }),
    resourceFieldRef: object({ containerName: string, resource: required(string), divisor: present(quantity) }),
    configMapKeyRef: selectorOf('key'),
    secretKeyRef: selectorOf('key'),
    fileKeyRef: anyObject,
  }),
});
export type EnvVar = TypeOf<typeof envVar>;

export const envFromSource = object({
  prefix: string,
  configMapRef: object({ name: string, optional: boolean }),
  secretRef: object({ name: string, optional: boolean }),
});
export type EnvFromSource = TypeOf<typeof envFromSource>;

export const containerPort = object({
  name: string,
  hostPort: plainInt32,
  containerPort: present(int32),
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
  hostIP: string,
});
export type ContainerPort = TypeOf<typeof containerPort>;

export const httpGetAction = object({
  path: string,
  port: intOrString,
  host: string,
  scheme: oneOf('HTTP', 'HTTPS'),
  httpHeaders: array(object({ name: required(string), value: required(string) })),
});
const execAction = object({ command: array(string) });
const tcpSocketAction = object({ port: intOrString, host: string });

export const probe = object({
  exec: execAction,
  httpGet: httpGetAction,
  tcpSocket: tcpSocketAction,
  grpc: object({ port: int32, service: string }),
  initialDelaySeconds: plainInt32,
  timeoutSeconds: plainInt32,
  periodSeconds: plainInt32,
  successThreshold: plainInt32,
  failureThreshold: plainInt32,
  terminationGracePeriodSeconds: int64,
});
export type Probe = TypeOf<typeof probe>;

const lifecycleHandler = object({
  exec: execAction,
  httpGet: httpGetAction,
  tcpSocket: tcpSocketAction,
  sleep: object({ seconds: required(int64) }),
});

export const resourceRequirements = object({
  limits: map(quantity),
  requests: map(quantity),
  claims: array(object({ name: required(string), request: string })),
});
export type ResourceRequirements = TypeOf<typeof resourceRequirements>;

export const capabilities = object({ add: array(string), drop: array(string) });
const seLinuxOptions = object({ user: string, role: string, type: string, level: string });
const windowsOptions = object({
  gmsaCredentialSpecName: string,
  gmsaCredentialSpec: string,
  runAsUserName: string,
  hostProcess: boolean,
});
const profile = object({ type: required(string), localhostProfile: string });

export const securityContext = object({
  capabilities,
  privileged: boolean,
  seLinuxOptions,
  windowsOptions,
  runAsUser: int64,
  runAsGroup: int64,
  runAsNonRoot: boolean,
  readOnlyRootFilesystem: boolean,
  allowPrivilegeEscalation: boolean,
  procMount: string,
  seccompProfile: profile,
  appArmorProfile: profile,
});
export type SecurityContext = TypeOf<typeof securityContext>;

export const podSecurityContext = object({
  seLinuxOptions,
  windowsOptions,
  runAsUser: int64,
  runAsGroup: int64,
  runAsNonRoot: boolean,
  supplementalGroups: array(int64),
  supplementalGroupsPolicy: string,
  fsGroup: int64,
  sysctls: array(object({ name: required(string), value: required(string) })),
  fsGroupChangePolicy: string,
  seccompProfile: profile,
  appArmorProfile: profile,
  seLinuxChangePolicy: string,
});
export type PodSecurityContext = TypeOf<typeof podSecurityContext>;

export const volumeMount = object({
  name: required(string),
  readOnly: plainBoolean,
  recursiveReadOnly: string,
  mountPath: required(string),
  subPath: string,
  mountPropagation: string,
  subPathExpr: string,
});
export type VolumeMount = TypeOf<typeof volumeMount>;

/** `corev1.Container`, all fields; which of them a Revision may use is up to its validation. */
export const container = object({
  name: present(string),
  image: describe(string, 'image reference; the host runs the program that its image map names for it'),
  command: array(string),
  args: array(string),
  workingDir: string,
  ports: array(containerPort),
  envFrom: array(envFromSource),
  env: array(envVar),
  resources: resourceRequirements,
  resizePolicy: array(object({ resourceName: required(string), restartPolicy: required(string) })),
  restartPolicy: string,
  restartPolicyRules: array(anyObject),
  volumeMounts: array(volumeMount),
  volumeDevices: array(object({ name: required(string), devicePath: required(string) })),
  livenessProbe: probe,
  readinessProbe: probe,
  startupProbe: probe,
  lifecycle: object({ postStart: lifecycleHandler, preStop: lifecycleHandler, stopSignal: string }),
  terminationMessagePath: string,
  terminationMessagePolicy: oneOf('File', 'FallbackToLogsOnError'),
  imagePullPolicy: oneOf('Always', 'IfNotPresent', 'Never'),
  securityContext,
  stdin: plainBoolean,
  stdinOnce: plainBoolean,
  tty: plainBoolean,
});
export type Container = TypeOf<typeof container>;
