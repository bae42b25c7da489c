import { createEvent, type EventMessage } from 'knative-embed/cloudevents';
import { createBroker, fileLog, type Broker } from 'knative-embed/eventing';

export interface PipelineResult {
  readonly shipped: readonly string[];
  readonly deadLetters: readonly string[];
  readonly billedAfterRedrive: readonly string[];
  readonly audited: readonly string[];
}

interface Order {
  readonly order: string;
  readonly region: string;
  readonly total: number;
}

const orders: readonly Order[] = [
  { order: 'o-1', region: 'eu', total: 40 },
  { order: 'o-2', region: 'mars', total: 900 },
  { order: 'o-3', region: 'us', total: 250 },
];

/**
 * Orders are priced, then shipped and billed. Shipping to Mars fails for good: the dead letter sink gets that event. The billing service is down:
 * its events are parked until it is back. An auditor who joins late has everything replayed from the files.
 */
export async function runPipeline(folder: string, print: (line: string) => void): Promise<PipelineResult> {
  const shipped: string[] = [];
  const deadLetters: string[] = [];
  const billed: string[] = [];
  const audited: string[] = [];
  let isBillingUp = false;

  await using broker = await createBroker({
    log: fileLog(folder),
    onParked: (trigger, event, reason) =>
      print(`${trigger}: ${event.subject} is parked after ${reason.attempts} tries: ${reason.message}`),
  });

  // What a function returns is published as its reply.
  broker.addTrigger('price', {
    filters: [{ exact: { type: 'order.placed' } }],
    subscriber: (event) =>
      createEvent({ type: 'order.priced', source: '/pricing', subject: event.subject, data: { ...orderOf(event), tax: 0.2 } }),
  });
  broker.addTrigger('ship', {
    filters: [{ cesql: "type = 'order.priced'" }],
    subscriber(event) {
      if (orderOf(event).region === 'mars') throw new Error('no rocket');
      shipped.push(orderOf(event).order);
    },
    delivery: { retry: 2, backoffPolicy: 'linear', backoffDelay: 'PT0.1S' },
    deadLetterSink: (event) => void deadLetters.push(`${event.subject}: ${errorOf(event)}`),
  });
  broker.addTrigger('bill', {
    filters: [{ exact: { type: 'order.priced' } }],
    subscriber(event) {
      if (!isBillingUp) throw new Error('billing is down');
      billed.push(orderOf(event).order);
    },
    delivery: { retry: 1 },
  });

  for (const order of orders) {
    await broker.publish(createEvent({ type: 'order.placed', source: '/shop', subject: order.order, data: order }));
  }
  await drained(broker);
  print(`shipped ${shipped.join(', ')}; dead letters: ${deadLetters.join(', ')}`);

  isBillingUp = true;
  print(`billing is back: ${await broker.redrive({ trigger: 'bill' })} events redriven`);
  await drained(broker);
  print(`billed ${billed.join(', ')}`);

  broker.addTrigger('audit', {
    filters: [{ exact: { type: 'order.placed' } }],
    subscriber: (event) => void audited.push(orderOf(event).order),
  });
  const { matched } = await broker.replay({ trigger: 'audit' });
  await drained(broker);
  print(`the auditor got ${matched} old events: ${audited.join(', ')}`);
  return { shipped, deadLetters, billedAfterRedrive: billed, audited };
}

function orderOf(event: EventMessage): Order {
  return event.data() as Order;
}

/** The text of the error that a dead letter carries. */
function errorOf(event: EventMessage): string {
  return Buffer.from(String(event.extension('knativeerrordata')), 'base64').toString();
}

/** Waits until every trigger has got what there was. */
async function drained(broker: Broker): Promise<void> {
  while (broker.triggers.some((name) => broker.backlog(name) > 0)) await new Promise((resolve) => setTimeout(resolve, 10));
}
