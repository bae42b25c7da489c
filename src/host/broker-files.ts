import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Clock } from '../clock.ts';
import { messageOf } from '../errors.ts';
import { fileLog } from '../eventing/index.ts';
import type { Logger } from '../logger.ts';
import type { EventingEdgeOptions } from './eventing-edge.ts';

/** Keeps the events of each broker in a folder of the host's data, so that they survive its restart; without data folder nothing. */
export function brokerFiles(
  dataDir: string | undefined,
  { clock, logger }: { readonly clock: Clock; readonly logger: Logger },
): Pick<EventingEdgeOptions, 'logOf' | 'onRemoved'> {
  if (dataDir === undefined) return {};
  const folderOf = (broker: string): string => join(resolve(dataDir), 'brokers', ...broker.split('/'));
  return {
    logOf: (broker) => fileLog(folderOf(broker), { clock, logger: logger.child({ broker }) }),
    async onRemoved(broker) {
      try {
        await rm(folderOf(broker), { recursive: true, force: true });
      } catch (error) {
        logger.error({ broker, error: messageOf(error) }, 'the files of a deleted broker stay behind');
      }
    },
  };
}
