import { KnativeError, messageOf } from '../../errors.ts';
import type { Exchange } from '../../http/index.ts';
import { parseTraceparent } from '../../telemetry/index.ts';
import { compileLogTemplate, Fields, LogTemplateError } from './log-template.ts';

/** One answered request. */
export interface RequestLogRecord {
  readonly exchange: Exchange;
  /** Status sent, 0 when the client left before. */
  readonly status: number;
  /** Bytes of the response body. */
  readonly bytes: number;
  readonly latencyMs: number;
}

/** Where answered requests are written. */
export interface RequestLog {
  /** True when health checks are written too. */
  readonly probes: boolean;
  write(record: RequestLogRecord): void;
}

/** What a template's `.Revision` has. */
export interface LoggedRevision {
  readonly name: string;
  readonly namespace: string;
  readonly service?: string;
  readonly configuration?: string;
  readonly podName?: string;
  readonly podIp?: string;
}

export interface RequestLogOptions {
  /** `logging.request-log-template` of config-observability. */
  readonly template: string;
  readonly revision: LoggedRevision;
  /** `logging.enable-probe-request-log`; default false. */
  readonly probes?: boolean;
  /** Gets each line, its line break included. */
  readonly write: (line: string) => void;
}

/**
 * A request log by a Go template over `.Request`, `.Response`, `.Revision` and `.TraceID`. SERVING_LOG_TEMPLATE_INVALID when the
 * template cannot be read; one that fails on a request writes a line that says so. Source: `pkg/http/request_log.go`.
 */
export function createRequestLog(options: RequestLogOptions): RequestLog {
  let render: (root: Fields, out: string[]) => void;
  try {
    render = compileLogTemplate(options.template.endsWith('\n') ? options.template : `${options.template}\n`);
  } catch (error) {
    throw new KnativeError('SERVING_LOG_TEMPLATE_INVALID', `request log template: ${messageOf(error)}`, {
      path: 'logging.request-log-template',
    });
  }
  const { name, namespace, service = '', configuration = '', podName = '', podIp = '' } = options.revision;
  const revision = new Fields({
    Name: name,
    Namespace: namespace,
    Service: service,
    Configuration: configuration,
    PodName: podName,
    PodIP: podIp,
  });
  return {
    probes: options.probes === true,
    write(record) {
      const out: string[] = [];
      try {
        render(fieldsOf(record, revision), out);
        options.write(out.join(''));
      } catch (error) {
        if (!(error instanceof LogTemplateError)) throw error;
        const { exchange, status, latencyMs } = record;
        options.write(
          `${out.join('')}Invalid request log template: method: ${exchange.method}, response code: ${status}, latency: ${latencyMs / 1000}, url: ${exchange.target}\n`,
        );
      }
    },
  };
}

function fieldsOf({ exchange, status, bytes, latencyMs }: RequestLogRecord, revision: Fields): Fields {
  const [path = '', ...query] = exchange.target.split('?');
  const [major = '1', minor = '1'] = exchange.httpVersion.split('.');
  const length = exchange.header('content-length');
  return new Fields({
    Request: new Fields({
      Method: exchange.method,
      RequestURI: exchange.target,
      Host: exchange.host,
      RemoteAddr: exchange.remoteAddress,
      Proto: `HTTP/${exchange.httpVersion}`,
      ProtoMajor: Number(major),
      ProtoMinor: Number(minor),
      ContentLength: length !== undefined ? Number(length) : exchange.header('transfer-encoding') === undefined ? 0 : -1,
      UserAgent: exchange.header('user-agent') ?? '',
      Referer: exchange.header('referer') ?? '',
      Header: headerMap(exchange.rawHeaders),
      URL: new Fields({ Path: path, RawQuery: query.join('?'), Host: '', Scheme: '', String: exchange.target }, exchange.target),
    }),
    Response: new Fields({ Code: status, Size: bytes, Latency: latencyMs / 1000 }),
    Revision: revision,
    TraceID: traceIdOf(exchange),
  });
}

function traceIdOf(exchange: Exchange): string {
  return parseTraceparent(exchange.header('traceparent'))?.traceId ?? exchange.header('x-b3-traceid') ?? '';
}

/** Headers under their canonical names, as Go keeps them; Host is not among them. */
function headerMap(rawHeaders: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const map = new Map<string, string[]>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = canonicalName(rawHeaders[i] ?? '');
    if (name === 'Host') continue;
    const values = map.get(name);
    if (values === undefined) map.set(name, [rawHeaders[i + 1] ?? '']);
    else values.push(rawHeaders[i + 1] ?? '');
  }
  return map;
}

function canonicalName(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}
