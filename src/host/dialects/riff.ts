import { groupOf } from './json-path.ts';
import type { Dialect } from './dialect.ts';
import { translateBuild } from './riff-build.ts';
import { translateAdapter, translateDeployer } from './riff-deployer.ts';
import { translateStreaming } from './riff-streaming.ts';

/** riff: functions and deployers become Configurations and Routes, streams and processors are described. */
export const riff: Dialect = {
  name: 'riff',
  recognizes: (document) => groupOf(document).endsWith('.projectriff.io'),
  translate(document, context) {
    switch (groupOf(document)) {
      case 'build.projectriff.io':
        return translateBuild(document);
      case 'knative.projectriff.io':
      case 'core.projectriff.io':
        return document['kind'] === 'Adapter' ? translateAdapter(document) : translateDeployer(document, context);
      case 'streaming.projectriff.io':
        return translateStreaming(document);
      default:
        return undefined;
    }
  },
};
