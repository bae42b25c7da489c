import { writeSync } from 'node:fs';
import { createEvent } from '../../src/cloudevents/index.ts';
import { dataOf } from './kill-data.ts';
import type { LogDelivery, LogTrigger } from '../../src/eventing/index.ts';
import { fileLog } from '../../src/eventing/logs/file.ts';

// The process that is killed: publishes and consumes on a file log as fast as it can, and tells what was acknowledged, delivered and set
// aside, one line each, so that whoever killed it can check.

const [folder = '', round = ''] = process.argv.slice(2);
/** Events that a producer announces at a time, before it sends the first of them. */
const block = 200;
const log = fileLog(folder, { segmentBytes: 64 * 1024, bufferedEvents: 64, retainBytes: 512 * 1024, cursorMs: 5 });
await log.open();

const lines: string[] = [];
/** In one write per turn: the pipe keeps what was written when the process dies. */
function tell(line: string): void {
  if (lines.push(line) === 1) {
    setImmediate(() => {
      writeSync(1, `${lines.splice(0).join('\n')}\n`);
    });
  }
}

function consume(trigger: LogTrigger, late: (delivery: LogDelivery) => boolean): void {
  const consumer = trigger.consume({
    onReady: () => {
      setImmediate(() => {
        for (let next = consumer.next(); next !== undefined; next = consumer.next()) take(next);
      });
    },
    prefetch: 32,
  });
  function take(delivery: LogDelivery): void {
    const { id } = delivery.event;
    const whole = delivery.event.data() === dataOf(Number(id.split('.')[2]));
    tell(`d ${trigger.name} ${whole ? id : 'altered'}`);
    // Some are acknowledged late and out of order, some are set aside.
    if (late(delivery)) setTimeout(() => delivery.ack(), 3);
    else if (delivery.position % 97 === 0) {
      delivery.park({ destination: 'x', status: 500, message: 'no', attempts: 1 })?.then(
        () => tell(`p ${trigger.name} ${id}`),
        () => delivery.nack(5),
      );
    } else delivery.ack();
  }
}

const every = log.trigger('every');
const third = log.trigger('third');
consume(every, ({ position }) => position % 5 === 0);
consume(third, () => false);
tell('ready');

for (let producer = 0; producer < 8; producer++) {
  void (async () => {
    for (let n = 1; ; n++) {
      const id = `${round}.${producer}.${n}`;
      if (n % block === 1) writeSync(1, `s ${round}.${producer} ${n + block - 1}\n`);
      const event = createEvent({ id, source: '/kill', type: 't', data: dataOf(n) });
      await log.append(event, n % 3 === 0 ? [every, third] : [every], []);
      tell(`a ${id}`);
      if (n % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
}
