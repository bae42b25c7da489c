import { parseGoDuration } from '../../duration.ts';
import { isTrueText, parsedConfig, type ConfigData } from './read.ts';

/** `config-observability` as the queue-proxy gets it, and what reconcilers look at themselves. */
export interface ObservabilityConfig {
  /** JSON of the whole configuration, for the queue-proxy's environment. */
  readonly json: string;
  /** `runtime-profiling`, disabled. */
  readonly profiling: boolean;
  /** `logging.enable-var-log-collection`, false. */
  readonly enableVarLogCollection: boolean;
  /** `logging.revision-url-template`, '': revisions have no log URL. */
  readonly loggingUrlTemplate: string;
}

export const observabilityConfig = parsedConfig('config-observability', parseObservabilityConfig);

export function parseObservabilityConfig(data: ConfigData): ObservabilityConfig {
  const profiling = data['runtime-profiling'] ?? 'disabled';
  const enableVarLogCollection = isTrueText(data['logging.enable-var-log-collection']);
  const loggingUrlTemplate = data['logging.revision-url-template'] ?? '';
  const samplingRate = Number(data['tracing-sampling-rate'] ?? 0);
  const json = JSON.stringify({
    tracing: {
      ...nonEmpty('protocol', data['tracing-protocol'] ?? 'none'),
      ...nonEmpty('endpoint', data['tracing-endpoint']),
      ...(samplingRate > 0 && { samplingRate }),
    },
    metrics: metricsOf(data, ''),
    runtime: { profiling, ...interval(data['runtime-export-interval'] ?? '15s') },
    requestMetrics: metricsOf(data, 'request-'),
    ...(enableVarLogCollection && { EnableVarLogCollection: true }),
    ...nonEmpty('LoggingURLTemplate', loggingUrlTemplate),
    ...(isTrueText(data['logging.enable-request-log']) && { enableRequestLog: true }),
    ...nonEmpty('requestLogTemplate', data['logging.request-log-template'] ?? defaultRequestLogTemplate),
    ...(isTrueText(data['logging.enable-probe-request-log']) && { enableProbeRequestLog: true }),
  });
  return { json, profiling: profiling === 'enabled', enableVarLogCollection, loggingUrlTemplate };
}

/** Upstream's default of `logging.request-log-template`: the queue-proxy's log line, a Go template. */
export const defaultRequestLogTemplate = [
  '{"httpRequest": {"requestMethod": "{{.Request.Method}}", "requestUrl": "{{js .Request.RequestURI}}"',
  '"requestSize": "{{.Request.ContentLength}}", "status": {{.Response.Code}}, "responseSize": "{{.Response.Size}}"',
  '"userAgent": "{{js .Request.UserAgent}}", "remoteIp": "{{js .Request.RemoteAddr}}", "serverIp": "{{.Revision.PodIP}}"',
  '"referer": "{{js .Request.Referer}}", "latency": "{{.Response.Latency}}s", "protocol": "{{.Request.Proto}}"}',
  '"traceId": "{{.TraceID}}"}',
].join(', ');

function metricsOf(data: ConfigData, prefix: string): object {
  return {
    ...nonEmpty('protocol', data[`${prefix}metrics-protocol`] ?? 'none'),
    ...nonEmpty('endpoint', data[`${prefix}metrics-endpoint`]),
    ...interval(data[`${prefix}metrics-export-interval`]),
  };
}

function nonEmpty(name: string, value: string | undefined): object {
  return value === undefined || value === '' ? {} : { [name]: value };
}

/** Go prints durations as nanoseconds. */
function interval(text: string | undefined): object {
  const ms = text === undefined ? undefined : parseGoDuration(text);
  return ms === undefined || ms === 0 ? {} : { exportInterval: ms * 1e6 };
}
