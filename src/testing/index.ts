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
export {
  createFunctionKit,
  type FunctionAnswer,
  type FunctionKit,
  type FunctionKitOptions,
  type FunctionUnderTest,
  type LogLine,
  type SendOptions,
  type TestRequest,
} from './function-kit.ts';
export {
  createExchangeRecorder,
  replayExchanges,
  type ExchangeRecorder,
  type RecordedBody,
  type RecordedExchange,
  type ReplayDifference,
  type ReplayExchangesOptions,
} from './function-recorder.ts';
export { eventTemplates, type EventTemplate, type EventTemplateName } from '../functions/event-templates.ts';
export { createVirtualClock, type Clock, type VirtualClock } from '../clock.ts';
export { createRandom, type Random } from '../random.ts';
export { logSuite, LogTaker, type LogCase, type MakeLog } from './log-suite.ts';
