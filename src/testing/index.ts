export { createTestHost, type TestHost, type TestHostOptions } from './test-host.ts';
export { advance, settle } from './virtual-time.ts';
