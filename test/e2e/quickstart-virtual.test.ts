import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, test } from 'vitest';
import { createTestHost, type TestHost } from '../../src/testing/test-host.ts';
import greeter from '../../examples/quickstart/greeter.ts';
import hello from '../../examples/quickstart/hello.ts';
import * as inbox from '../../examples/quickstart/inbox.ts';
import { defineFunction } from '../../src/functions/index.ts';
import {
  backToZero,
  eventAndReply,
  firstRequestAtZero,
  oneAtATime,
  oneAtATimeManifest,
  trafficSplit,
  type World,
} from './scenarios.ts';

const folder = fileURLToPath(new URL('../../examples/quickstart/', import.meta.url));
const manifest = (name: string): string => readFileSync(`${folder}${name}`, 'utf8');

let inFlight = new Map<object, number>();
const narrow = defineFunction(async (context) => {
  // One module instance stands for all instances here, so requests are counted per environment, which each instance has its own of.
  const atOnce = (inFlight.get(context.env) ?? 0) + 1;
  inFlight.set(context.env, atOnce);
  await context.sleep(20);
  inFlight.set(context.env, (inFlight.get(context.env) ?? 1) - 1);
  return { atOnce };
});

describe('the quickstart on virtual time', () => {
  let host: TestHost;
  let world: World;

  beforeEach(async () => {
    inFlight = new Map();
    host = await createTestHost({
      images: {
        'example.com/hello': hello,
        'example.com/greeter': greeter,
        'example.com/inbox': inbox.handle,
        'example.com/narrow': narrow,
      },
    });
    world = {
      host,
      async request(authority, path = '/', init = {}) {
        const answer = await host.run(
          host.client.request({
            method: init.method ?? 'GET',
            url: `http://${authority}${path}`,
            rawHeaders: Object.entries(init.headers ?? {}).flat(),
            ...(init.body === undefined ? {} : { body: init.body }),
          }),
        );
        return { status: answer.status, body: await host.run(answer.text()) };
      },
      until: (_what, condition, limitMs) => host.until(condition, limitMs),
    };
    await host.apply(manifest('autoscaler.yaml'));
    const [first = '', second = ''] = manifest('hello.yaml').split('\n---\n');
    await host.apply(first);
    await host.run(host.ready('services.serving.knative.dev', 'hello'));
    await host.apply(second);
    await host.apply(manifest('eventing.yaml'));
    await host.run(Promise.all(['hello', 'greeter', 'inbox'].map((name) => host.ready('services.serving.knative.dev', name))));
    await host.run(host.ready('triggers.eventing.knative.dev', 'inbox'));
  });
  afterEach(() => host.close());

  test('the first request to a service at zero gets its 200', () => firstRequestAtZero(world));
  test('requests split 80/20 and the tag host always hits its revision', () => trafficSplit(world));
  test('an event reaches the function and its reply the consumer', () => eventAndReply(world));
  test('an idle service goes back to zero', () => backToZero(world));
  test('200 requests at once, one per Pod, five Pods at most', async () => {
    await host.apply(oneAtATimeManifest('example.com/narrow'));
    await oneAtATime({ ...world, host: { ...host, ready: (...args) => host.run(host.ready(...args)) } });
  });
});
