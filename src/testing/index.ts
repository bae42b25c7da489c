export { createTestHost, type TestHost, type TestHostOptions } from './test-host.ts';
export { advance, settle } from './virtual-time.ts';
export {
  runPolicy,
  type LoadSample,
  type LoadStep,
  type PolicyRun,
  type PolicyRunOptions,
  type PolicyTick,
} from './policy-run.ts';
