import { expect, test } from 'vitest';
import { kindOfReply } from '../../src/cloudevents/delivery-rules.ts';
import { EventMessage } from '../../src/cloudevents/event-message.ts';
import { dispatchEvent, type DispatchResult } from '../../src/eventing/dispatch-event.ts';
import { withWorld, type Sinks } from '../replays/eventing.world.ts';

const event = new EventMessage({ id: '1', type: 't', source: '/s' });
const reply = { 'ce-specversion': '1.0', 'ce-id': '2', 'ce-type': 'u', 'ce-source': '/r', 'x-request-id': 'q' };

async function dispatched(
  sinks: Sinks,
  rawHeaders: string[] = [],
): Promise<DispatchResult & { readonly headers: readonly Readonly<Record<string, string>>[] }> {
  return withWorld('memory', sinks, async ({ client, requests }) => {
    const to = (name: string): string | undefined => (name in sinks ? `http://${name}/` : undefined);
    const result = await dispatchEvent(event, 'http://first/', {
      client,
      reply: to('reply'),
      deadLetter: to('dead'),
      rawHeaders,
    });
    return { ...result, headers: requests.map(({ headers }) => headers) };
  });
}

test('the error names both who failed and the dead letter sink that failed too', async () => {
  const { error, status } = await dispatched({ first: [{ status: 501 }], dead: [{ status: 410 }] });
  expect(status).toBe(410);
  expect(error).toMatch(
    /^unable to complete request to either http:\/\/first\/ \(.* got 501\) or http:\/\/dead\/ \(.* got 410\)$/,
  );
});

test('after a failed reply the dead letter is sent with the headers of the answer', async () => {
  const sinks = { first: [{ status: 200, headers: reply }], reply: [{ status: 400 }], dead: [{ status: 502 }] };
  const { error, headers } = await dispatched(sinks, ['kn-namespace', 'n']);
  expect(headers.map((each) => each['x-request-id'])).toEqual([undefined, 'q', 'q']);
  expect(headers.map((each) => each['kn-namespace'])).toEqual(['n', 'n', 'n']);
  expect(error).toMatch(
    /^failed to forward reply to http:\/\/reply\/ \(.*\) and failed to send it to the dead letter sink http:\/\/dead\/ \(/,
  );
});

test('a reply that cannot be sent has the status -1', async () => {
  const headers = { 'content-type': 'application/cloudevents-batch+json' };
  expect(await dispatched({ first: [{ status: 200, headers, body: '[]' }], reply: [{ status: 202 }] })).toMatchObject({
    status: -1,
    error: expect.stringMatching(/^failed to forward reply to http:\/\/reply\/: failed to create request: /),
  });
});

test('an answer of an unknown version is no event', async () => {
  expect(kindOfReply(['ce-specversion', '3.1'], 0)).toBe('nothing');
  expect(kindOfReply(['CE-SpecVersion', '3.1'], 4)).toBe('notAnEvent');
  expect(kindOfReply(['CE-SpecVersion', '0.3'], 4)).toBe('event');
});
