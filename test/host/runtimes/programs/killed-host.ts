// A host that starts one instance with a helper of its own, tells both and waits to be killed.
import { createImageMap } from '../../../../src/host/runtimes/image-map.ts';
import { createRuntime } from '../../../../src/host/runtimes/create-runtime.ts';

// Instances alone do not keep a process alive.
setInterval(() => undefined, 1_000);
const dataDir = process.argv[2] ?? '';
const images = createImageMap({ tree: { command: ['sh', 'tree.sh'] } }, { baseDir: import.meta.dirname });
const runtime = await createRuntime({ images, dataDir });
const instance = runtime.start({
  id: 'one',
  namespace: 'default',
  podName: 'pod-one',
  containers: [{ name: 'c', image: 'tree' }],
});
let text = '';
for await (const chunk of instance.logs('c', { follow: true })) {
  text += Buffer.from(chunk).toString();
  if (text.includes('\n')) break;
}
process.stdout.write(text);
