import { messageOf } from '../../errors.ts';
import type { Logger } from '../../logger.ts';
import { defaultRequestLogTemplate } from '../config/observability.ts';
import { createRequestLog, type RequestLog } from './request-log.ts';
import type { RevisionKey, RevisionSettings } from './revision.ts';

export interface RequestLogsOptions {
  /** Data of a system config map, the same object as long as it has not changed. */
  readonly config: (name: string) => Readonly<Record<string, string>>;
  /** Gets each line, its line break included. */
  readonly write: (line: string) => void;
  readonly logger: Logger;
}

/**
 * Request logs by the settings of `config-observability` (`logging.enable-request-log`, `logging.request-log-template`,
 * `logging.enable-probe-request-log`), which take effect at the next request. Upstream's queue-proxies write them to their standard
 * output.
 */
export function createRequestLogs({ config, write, logger }: RequestLogsOptions) {
  const makeLog = (
    data: Readonly<Record<string, string>>,
    revision: RevisionKey,
    settings: RevisionSettings,
  ): RequestLog | undefined => {
    const template = data['logging.request-log-template'] ?? defaultRequestLogTemplate;
    if (data['logging.enable-request-log'] !== 'true' || template === '') return undefined;
    const slash = revision.indexOf('/');
    try {
      return createRequestLog({
        template,
        revision: { namespace: revision.slice(0, slash), name: revision.slice(slash + 1), ...settings.labels },
        probes: data['logging.enable-probe-request-log'] === 'true',
        write,
      });
    } catch (error) {
      logger.error({ revision, error: messageOf(error) }, 'no request log');
      return undefined;
    }
  };
  return (revision: RevisionKey, settings: RevisionSettings): RequestLog => {
    let madeOf: Readonly<Record<string, string>> | undefined;
    let log: RequestLog | undefined;
    const current = (): RequestLog | undefined => {
      const data = config('config-observability');
      if (data !== madeOf) {
        madeOf = data;
        log = makeLog(data, revision, settings);
      }
      return log;
    };
    return {
      get probes() {
        return current()?.probes ?? false;
      },
      write: (record) => current()?.write(record),
    };
  };
}
