import { readFile } from 'node:fs/promises';
import { realClock, sleep } from '../../clock.ts';
import { encodeBatch, encodeBinary, encodeStructured, type EncodedEvent } from '../../cloudevents/http-binding.ts';
import type { EventMessage } from '../../cloudevents/event-message.ts';
import { durationMs } from '../../duration.ts';
import { KnativeError, messageOf } from '../../errors.ts';
import { completeEvent } from '../../functions/emit.ts';
import { eventTemplates } from '../../functions/event-templates.ts';
import { createHttpClient } from '../../http/undici-client.ts';
import { systemRandom } from '../../random.ts';
import type { HttpClient } from '../../http/exchange.ts';
import type { Command, CommandContext } from '../command.ts';

const templateNames = Object.keys(eventTemplates).join(', ');

export const command: Command = {
  name: 'send',
  summary: 'Send CloudEvents to a function, a broker or any address',
  usage: 'send [FILE] [options]',
  help: `Posts events to --url. FILE (or - for standard input) holds one event in the JSON format, an array of them, or one per line; without
it the event is made from --template and the other options. Missing id, source, time and specversion are filled in.

Options:
  --url URL           where to (default K_SINK, else http://127.0.0.1:8080)
  --template NAME     ${templateNames} (default func)
  --type TYPE, --source URI, --subject TEXT, --id TEXT, --data TEXT, --content-type TYPE
                      override what the template or the file says; data of a JSON type must be JSON
  --extension N=V     adds an extension; may be repeated
  --mode MODE         binary, structured, batch, or http: just the data, no event (default binary)
  --count N           how many times (default 1; without limit with --duration)
  --rate N            events a second (default: one after the other)
  --duration TIME     how long to send, such as 30s
  --quiet             only the summary
  -h, --help          this text

Prints every answer, or with --rate or --count a summary. Exit code: 0 when all were answered below 300, 1 otherwise, 2 for wrong usage.

Examples:
  knative-embed send --template ping --type order.placed --data '{"order":1}'
  knative-embed send events.ndjson --url http://127.0.0.1:8080/default/broker --rate 200`,
  options: {
    url: { type: 'string' },
    template: { type: 'string' },
    type: { type: 'string' },
    source: { type: 'string' },
    subject: { type: 'string' },
    id: { type: 'string' },
    data: { type: 'string' },
    'content-type': { type: 'string' },
    extension: { type: 'string', multiple: true },
    mode: { type: 'string' },
    count: { type: 'string' },
    rate: { type: 'string' },
    duration: { type: 'string' },
    quiet: { type: 'boolean' },
  },
  async run(context) {
    const settings = readSettings(context);
    const drafts = await readDrafts(context);
    await using client = createHttpClient();
    // Awaited here, so that the client lives as long as they need it.
    return await (settings.isLoad ? sendAtRate : sendEach)(context, client, settings, drafts);
  },
};

type Mode = 'binary' | 'structured' | 'batch' | 'http';

interface Settings {
  readonly url: string;
  readonly mode: Mode;
  readonly count: number;
  readonly ratePerSecond: number | undefined;
  readonly durationMs: number;
  readonly quiet: boolean;
  readonly isLoad: boolean;
}

type Draft = Record<string, unknown>;

function option(context: CommandContext, name: string): string | undefined {
  const value = context.options[name];
  return typeof value === 'string' ? value : undefined;
}

function readSettings(context: CommandContext): Settings {
  const mode = option(context, 'mode') ?? 'binary';
  if (mode !== 'binary' && mode !== 'structured' && mode !== 'batch' && mode !== 'http') {
    throw new KnativeError('CLI_OPTION_INVALID', `there is no mode ${JSON.stringify(mode)}`, {
      path: '--mode',
      hint: 'choose binary, structured, batch or http',
    });
  }
  const rate = positive(option(context, 'rate'), '--rate');
  const duration = option(context, 'duration');
  const count = positive(option(context, 'count'), '--count');
  return {
    url: option(context, 'url') ?? context.env['K_SINK'] ?? 'http://127.0.0.1:8080',
    mode,
    count: count ?? (duration === undefined ? 1 : Infinity),
    ratePerSecond: rate,
    durationMs: duration === undefined ? Infinity : durationMs(duration, '--duration'),
    quiet: context.options['quiet'] === true,
    isLoad: rate !== undefined || duration !== undefined || (count ?? 1) > 1,
  };
}

function positive(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  const value = Number(text);
  if (Number.isFinite(value) && value > 0) return value;
  throw new KnativeError('CLI_OPTION_INVALID', `${name} is ${JSON.stringify(text)}`, {
    path: name,
    hint: 'give a number above 0',
  });
}

async function readDrafts(context: CommandContext): Promise<Draft[]> {
  const file = context.positionals[0];
  const overrides = readOverrides(context);
  if (file === undefined) {
    const name = option(context, 'template') ?? 'func';
    if (!Object.hasOwn(eventTemplates, name)) {
      throw new KnativeError('CLI_OPTION_INVALID', `there is no template ${JSON.stringify(name)}`, {
        path: '--template',
        hint: `choose one of ${templateNames}`,
      });
    }
    return [{ ...eventTemplates[name as keyof typeof eventTemplates], ...overrides }];
  }
  const text = file === '-' ? await readAll(context.stdin) : await readFile(file, 'utf8');
  return parseEvents(text, file).map((draft) => ({ ...draft, ...overrides }));
}

async function readAll(stream: AsyncIterable<string | Uint8Array>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString('utf8');
}

// One JSON document (an event or an array of them), or one event per line.
function parseEvents(text: string, file: string): Draft[] {
  const whole = parse(text);
  const values =
    whole === undefined
      ? text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map(parse)
      : Array.isArray(whole)
        ? whole
        : [whole];
  return values.map((value, index) => {
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Draft;
    throw new KnativeError('CLI_EVENT_INVALID', `${file} holds no event at position ${index + 1}`, {
      path: file,
      hint: 'give JSON objects in the CloudEvents JSON format',
    });
  });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function readOverrides(context: CommandContext): Draft {
  const overrides: Draft = {};
  for (const name of ['type', 'source', 'subject', 'id']) {
    const value = option(context, name);
    if (value !== undefined) overrides[name] = value;
  }
  const contentType = option(context, 'content-type');
  if (contentType !== undefined) overrides['datacontenttype'] = contentType;
  const data = option(context, 'data');
  if (data !== undefined) {
    const value = contentType === undefined || /json/i.test(contentType) ? parse(data) : data;
    if (value === undefined)
      throw new KnativeError('CLI_OPTION_INVALID', '--data is no JSON', {
        path: '--data',
        hint: 'quote it, or name another --content-type',
      });
    overrides['data'] = value;
  }
  for (const pair of (context.options['extension'] as readonly string[] | undefined) ?? []) {
    const equals = pair.indexOf('=');
    if (equals < 1)
      throw new KnativeError('CLI_OPTION_INVALID', `--extension ${pair} is not NAME=VALUE`, { path: '--extension' });
    overrides[pair.slice(0, equals)] = pair.slice(equals + 1);
  }
  return overrides;
}

function toEvent(draft: Draft): EventMessage {
  return completeEvent(draft as never, { clock: realClock, random: systemRandom, source: '/knative-embed/send' });
}

function encode(drafts: readonly Draft[], mode: Mode): EncodedEvent {
  const [first] = drafts.map(toEvent);
  if (first === undefined) throw new KnativeError('CLI_EVENT_INVALID', 'there is no event to send');
  switch (mode) {
    case 'batch':
      return encodeBatch(drafts.map(toEvent));
    case 'structured':
      return encodeStructured(first);
    case 'http':
      return { rawHeaders: first.datacontenttype === undefined ? [] : ['content-type', first.datacontenttype], body: first.body };
    default:
      return encodeBinary(first);
  }
}

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly rawHeaders: readonly string[];
}

async function post(client: HttpClient, url: string, { rawHeaders, body }: EncodedEvent, signal: AbortSignal): Promise<Answer> {
  const response = await client.request({ method: 'POST', url, rawHeaders, signal, ...(body === undefined ? {} : { body }) });
  return { status: response.status, text: await response.text(), rawHeaders: response.rawHeaders };
}

async function sendEach(
  context: CommandContext,
  client: HttpClient,
  settings: Settings,
  drafts: readonly Draft[],
): Promise<number> {
  const messages = settings.mode === 'batch' ? [drafts] : drafts.map((draft) => [draft]);
  let refused = 0;
  for (const message of messages) {
    const answer = await post(client, settings.url, encode(message, settings.mode), context.signal);
    if (answer.status >= 300) refused++;
    if (!settings.quiet) printAnswer(context, answer);
  }
  if (settings.quiet) context.print(`${messages.length - refused} accepted, ${refused} refused`);
  return refused === 0 ? 0 : 1;
}

function printAnswer(context: CommandContext, { status, text, rawHeaders }: Answer): void {
  context.print(`${status}`);
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = (rawHeaders[i] ?? '').toLowerCase();
    if (name.startsWith('ce-') || name === 'content-type') context.print(`${name}: ${rawHeaders[i + 1]}`);
  }
  if (text !== '') context.print(text);
}

/** At most this many answers are awaited at a time; a slower receiver is sent to more slowly. */
const inFlightMax = 1_000;

async function sendAtRate(
  context: CommandContext,
  client: HttpClient,
  settings: Settings,
  drafts: readonly Draft[],
): Promise<number> {
  const latencies: number[] = [];
  const statuses = new Map<string, number>();
  const pending = new Set<Promise<void>>();
  const count = (key: string): void => void statuses.set(key, (statuses.get(key) ?? 0) + 1);
  const startMs = realClock.monotonic();
  const send = async (index: number): Promise<void> => {
    const sentMs = realClock.monotonic();
    const batch = settings.mode === 'batch' ? drafts : [drafts[index % drafts.length] ?? {}];
    try {
      const { status } = await post(
        client,
        settings.url,
        encode(
          batch.map((draft) => ({ ...draft, id: undefined })),
          settings.mode,
        ),
        context.signal,
      );
      count(String(status));
    } catch (error) {
      count(messageOf(error));
    }
    latencies.push(realClock.monotonic() - sentMs);
  };
  for (let index = 0; index < settings.count && !context.signal.aborted; index++) {
    const elapsedMs = realClock.monotonic() - startMs;
    if (elapsedMs >= settings.durationMs) break;
    const dueMs = settings.ratePerSecond === undefined ? elapsedMs : (index * 1_000) / settings.ratePerSecond;
    if (dueMs > elapsedMs) await sleep(realClock, dueMs - elapsedMs, context.signal).catch(() => undefined);
    const sending = send(index);
    pending.add(sending);
    void sending.then(() => pending.delete(sending));
    if (settings.ratePerSecond === undefined) await sending;
    else if (pending.size >= inFlightMax) await Promise.race(pending);
  }
  await Promise.all(pending);
  printSummary(context, latencies, statuses, realClock.monotonic() - startMs);
  return [...statuses.keys()].every((key) => /^[12]\d\d$/.test(key)) ? 0 : 1;
}

function printSummary(
  context: CommandContext,
  latencies: number[],
  statuses: ReadonlyMap<string, number>,
  elapsedMs: number,
): void {
  latencies.sort((a, b) => a - b);
  const at = (part: number): string =>
    (latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * part))] ?? 0).toFixed(1);
  context.print(
    `${latencies.length} sent in ${(elapsedMs / 1_000).toFixed(1)} s (${((latencies.length * 1_000) / Math.max(1, elapsedMs)).toFixed(0)}/s)`,
  );
  context.print(`latency ms: median ${at(0.5)}, 95 % ${at(0.95)}, 99 % ${at(0.99)}, most ${at(1)}`);
  for (const [key, times] of statuses) context.print(`${times} × ${key}`);
}
