export { createHost } from './host.ts';
export {
  type FetchOptions,
  type Host,
  type HostOptions,
  type ListenAddress,
  type ListenOptions,
  type ReadyOptions,
  type TlsListenOptions,
} from './host-types.ts';
export { type AppliedDocument, type ApplyOptions, type ApplyResult } from './apply.ts';
export { admit, type AdmitOptions, type AdmittedDocument, type Admission } from './admission/admit.ts';
export { hostKinds, kindNamed } from './kinds.ts';
export { type Images } from './runtimes/image-map.ts';
export { type Instance, type Runtime } from './runtimes/runtime.ts';
export {
  ManifestFolder,
  type FolderChange,
  type FolderDocument,
  type FolderProblem,
  type ManifestFolderOptions,
} from './manifest-folder.ts';
export { readFolderDocuments, readSettings, settingsFileName, type FolderSettings } from './manifest-documents.ts';
export { isReady, whyNot } from './wait.ts';
export { createMetricsHandler } from '../serving/index.ts';
export {
  createRegistry,
  createTracer,
  openTelemetry,
  type Meter,
  type OpenTelemetry,
  type Registry,
  type Tracer,
} from '../telemetry/index.ts';
