import { expect, test } from 'vitest';
import { get, isReady, podSpec, startRuntime, until } from './harness.ts';

test('a function module runs in a worker; two instances share neither module nor environment', async () => {
  await using host = await startRuntime({ 'example.com/hello': './hello.ts' });
  const first = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00001' } }));
  const second = host.runtime.start(podSpec({ env: { K_REVISION: 'hello-00002' } }));
  await Promise.all([until(first, isReady), until(second, isReady)]);
  expect(await get(first)).toEqual({ calls: 1, revision: 'hello-00001' });
  expect(await get(first)).toEqual({ calls: 2, revision: 'hello-00001' });
  expect(await get(second)).toEqual({ calls: 1, revision: 'hello-00002' });
  await first.stop(2_000);
  expect(first.status).toMatchObject({ phase: 'Succeeded', containers: [{ state: { kind: 'terminated', exitCode: 0 } }] });
});
