// A thread of a sweep: runs one combination after the other.
import { parentPort } from 'node:worker_threads';
import { messageOf } from '../../errors.ts';
import { runSweepJob, type SweepAnswer, type SweepRequest } from './sweep-job.ts';

const port = parentPort;
port?.on('message', (request: SweepRequest) => {
  runSweepJob(request).then(
    (result) => port.postMessage({ index: request.index, result } satisfies SweepAnswer),
    (error: unknown) => port.postMessage({ index: request.index, error: messageOf(error) } satisfies SweepAnswer),
  );
});
