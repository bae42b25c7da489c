import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { KnativeError } from '../../errors.ts';
import { createHttpClient } from '../../http/undici-client.ts';
import type { Command, CommandContext } from '../command.ts';
import { readOperationsAddress, type OperationsAddress } from '../operations-server.ts';

export const command: Command = {
  name: 'events',
  summary: 'Look into the brokers of a running host: lag, dead letters, replay, what became of an event',
  usage: 'events ACTION [BROKER] [options]',
  help: `Talks to the host that \`knative-embed dev\` runs. BROKER is NAMESPACE/NAME or NAME (default default/default).

Actions:
  list                 the brokers
  status               position, backlog, lag and parked events of each trigger
  trace --id ID        what became of an event and of the replies that it led to, try by try
  why EVENT.json       which triggers would get the event, and why
  parked               dead letters that nobody took, with reason and attempts
  redrive              deliver parked events again: of --trigger, or those with --id (may be repeated), or all
  drop --id ID         drop a parked event
  replay --trigger T   deliver stored events to one trigger again, from --from-position N or --from TIME (ISO 8601); --dry-run only counts
  pause, resume        stop and go on delivering to --trigger

Options:
  --trigger NAME       NAMESPACE/NAME, or NAME in the broker's namespace
  --id ID, --source URI, --from-position N, --to-position N, --from TIME, --dry-run
  --data-dir FOLDER    of the running host (default .knative-embed)
  --json               print the answer as it is
  -h, --help           this text

Exit code: 0 done, 1 refused or nothing is running, 2 for wrong usage.

Examples:
  knative-embed events status orders
  knative-embed events replay orders --trigger audit --from 2026-01-01T00:00:00Z --dry-run`,
  options: {
    trigger: { type: 'string' },
    id: { type: 'string', multiple: true },
    source: { type: 'string' },
    from: { type: 'string' },
    'from-position': { type: 'string' },
    'to-position': { type: 'string' },
    'dry-run': { type: 'boolean' },
    'data-dir': { type: 'string' },
    json: { type: 'boolean' },
  },
  run: (context) => events(context),
};

type Answer = Readonly<Record<string, unknown>>;

interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly body?: Answer;
  readonly show: (answer: Answer) => readonly string[];
}

async function events(context: CommandContext): Promise<number> {
  const { options, print } = context;
  const call = await callOf(context);
  if (call === undefined) {
    context.printError(`error: an action is needed: ${command.usage}; --help lists them`);
    return 2;
  }
  const dataDir = resolve(text(options['data-dir']) ?? join('.', '.knative-embed'));
  const answer = await send(await readOperationsAddress(dataDir), call);
  if (options['json'] === true) print(JSON.stringify(answer, undefined, 2));
  else for (const line of call.show(answer)) print(line);
  return 0;
}

async function callOf({ options, positionals }: CommandContext): Promise<Call | undefined> {
  const action = positionals[0] ?? '';
  const needsEvent = action === 'why';
  const broker = qualified((needsEvent ? positionals[2] : positionals[1]) ?? 'default', 'default');
  const [namespace = ''] = broker.split('/');
  const path = `/brokers/${broker}`;
  const given = text(options['trigger']);
  const trigger = given === undefined ? {} : { trigger: qualified(given, namespace) };
  const ids = Array.isArray(options['id']) ? options['id'].map(String) : [];
  switch (action) {
    case 'list':
      return { method: 'GET', path: '/brokers', show: ({ brokers }) => rows(brokers).map(String) };
    case 'status':
      return { method: 'GET', path, show: showStatus };
    case 'trace': {
      const source = text(options['source']);
      const query = new URLSearchParams({ id: needed(ids[0], 'id'), ...(source === undefined ? {} : { source }) });
      return {
        method: 'GET',
        path: `${path}/history?${query.toString()}`,
        show: ({ events: list }) => rows(list).flatMap(showRecord),
      };
    }
    case 'why': {
      const event: unknown = JSON.parse(await readFile(needed(positionals[1], 'EVENT.json'), 'utf8'));
      const show = ({ triggers }: Answer): string[] =>
        rows(triggers).map(
          (each) =>
            `${field(each, 'id')}: ${field(each, 'matched') === 'true' ? 'gets it' : 'does not get it'}, ${field(each, 'reason')}`,
        );
      return { method: 'POST', path: `${path}/explain`, body: { event }, show };
    }
    case 'parked': {
      const query = given === undefined ? '' : `?${new URLSearchParams(trigger).toString()}`;
      return { method: 'GET', path: `${path}/parked${query}`, show: ({ parked }) => rows(parked).map(showParked) };
    }
    case 'redrive': {
      const body = { ...trigger, ...(ids.length === 0 ? {} : { ids }) };
      return { method: 'POST', path: `${path}/redrive`, body, show: ({ redriven }) => [`${String(redriven)} events redriven`] };
    }
    case 'drop': {
      const show = ({ dropped }: Answer): string[] => [dropped === true ? 'dropped' : 'there is no such parked event'];
      return { method: 'POST', path: `${path}/drop`, body: { id: needed(ids[0], 'id') }, show };
    }
    case 'replay':
      return {
        method: 'POST',
        path: `${path}/replay`,
        body: { trigger: qualified(needed(given, 'trigger'), namespace), dryRun: options['dry-run'] === true, ...range(options) },
        show: (answer) => [
          `${String(answer['read'])} events read, ${String(answer['matched'])} ${options['dry-run'] === true ? 'would be' : 'are'} delivered again`,
        ],
      };
    case 'pause':
    case 'resume':
      return {
        method: 'POST',
        path: `${path}/${action}`,
        body: { trigger: qualified(needed(given, 'trigger'), namespace) },
        show: ({ paused }) => [paused === true ? 'paused' : 'goes on'],
      };
    default:
      return undefined;
  }
}

function range(options: CommandContext['options']): Answer {
  const from = text(options['from']);
  const fromMs = from === undefined ? undefined : Date.parse(from);
  if (Number.isNaN(fromMs)) throw usage('from', `${String(from)} is not a time`);
  const position = (name: string): number | undefined => {
    const value = text(options[name]);
    if (value === undefined) return undefined;
    if (!/^\d+$/.test(value)) throw usage(name, `${value} is not a position`);
    return Number(value);
  };
  const fromPosition = position('from-position');
  const toPosition = position('to-position');
  return {
    ...(fromMs === undefined ? {} : { fromMs }),
    ...(fromPosition === undefined ? {} : { fromPosition }),
    ...(toPosition === undefined ? {} : { toPosition }),
  };
}

async function send({ url, token }: OperationsAddress, { method, path, body }: Call): Promise<Answer> {
  await using client = createHttpClient();
  const request = {
    method,
    url: `${url}${path}`,
    rawHeaders: ['authorization', `Bearer ${token}`, 'content-type', 'application/json'],
  };
  const response = await client.request(body === undefined ? request : { ...request, body: JSON.stringify(body) });
  const answer: unknown = JSON.parse(await response.text());
  if (!isRecord(answer)) throw new KnativeError('CLI_ANSWER', 'the host gave no answer that can be read');
  if (response.status === 200) return answer;
  const hint = answer['hint'];
  throw new KnativeError('CLI_REFUSED', String(answer['error']), typeof hint === 'string' ? { hint } : {});
}

function showStatus({ log, triggers }: Answer): string[] {
  const kept = `${field(log, 'kind')} log: ${field(log, 'guarantee')}; ${field(log, 'events')} events kept, newest at position ${field(log, 'lastPosition')}`;
  return [
    kept,
    ...rows(triggers).map((each) => {
      const lag = (Number(field(each, 'lagMs')) / 1_000).toFixed(1);
      const state = field(each, 'paused') === 'true' ? ', paused' : '';
      return `${field(each, 'trigger')}: ${field(each, 'backlog')} waiting, ${lag} s behind, ${field(each, 'parked')} parked, done up to position ${field(each, 'lowWatermark')}${state}`;
    }),
  ];
}

function showRecord(record: unknown): string[] {
  const at = new Date(Number(field(record, 'atMs'))).toISOString();
  const replyTo = isRecord(record) ? record['replyTo'] : undefined;
  const origin = isRecord(replyTo) ? `, the answer of ${field(replyTo, 'trigger')} to ${field(replyTo, 'id')}` : '';
  const deliveries = rows(isRecord(record) ? record['deliveries'] : []);
  return [
    `${at} ${field(record, 'type')} ${field(record, 'id')} from ${field(record, 'source')}${origin}`,
    ...(deliveries.length === 0 ? ['  no trigger matched'] : []),
    ...deliveries.flatMap((delivery) => [
      `  ${field(delivery, 'trigger')}: ${field(delivery, 'state')}`,
      ...rows(isRecord(delivery) ? delivery['tries'] : []).map((each) => {
        const tookMs = Number(field(each, 'endMs')) - Number(field(each, 'atMs'));
        const error = field(each, 'error');
        return `    ${new Date(Number(field(each, 'atMs'))).toISOString()} ${field(each, 'status')} after ${tookMs} ms${error === '' ? '' : `: ${error}`}`;
      }),
    ]),
  ];
}

function showParked(parked: unknown): string {
  const event = isRecord(parked) ? parked['event'] : undefined;
  return `${field(parked, 'id')} ${field(parked, 'trigger')} ${field(event, 'type')} ${field(event, 'id')}: ${field(parked, 'status')} from ${field(parked, 'destination')} after ${field(parked, 'attempts')} tries: ${field(parked, 'message')}`;
}

function qualified(name: string, namespace: string): string {
  return name.includes('/') ? name : `${namespace}/${name}`;
}

function needed(value: string | undefined, name: string): string {
  if (value !== undefined) return value;
  throw usage(name, 'is missing');
}

function usage(name: string, rule: string): KnativeError {
  return new KnativeError('CLI_OPTION_INVALID', `${name}: ${rule}`, { path: name, hint: 'knative-embed events --help' });
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function rows(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function field(value: unknown, name: string): string {
  const found = isRecord(value) ? value[name] : undefined;
  return typeof found === 'string' || typeof found === 'number' || typeof found === 'boolean' ? String(found) : '';
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
