import type { AdmissionContext, Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import type { Translation } from './dialect.ts';
import { effectiveBroker, effectiveMapping, effectivePing, effectiveTrigger } from './effective-eventing.ts';
import { domainOf, effectiveService } from './effective-service.ts';
import type { JsonObject } from './json-path.ts';

type Config = NonNullable<AdmissionContext['config']>;

/** The settings that a document ends up with: what its objects say, and what the dialect adds. */
export function effectiveSettings(
  objects: readonly { readonly kind: Kind; readonly resource: Resource }[],
  translation: Translation,
  config: Config,
): JsonObject | null {
  const settings: JsonObject = {};
  for (const { kind, resource } of objects) Object.assign(settings, settingsOf(kind, resource, config));
  Object.assign(settings, translation.effective);
  return Object.keys(settings).length === 0 ? null : settings;
}

function settingsOf(kind: Kind, resource: Resource, config: Config): JsonObject {
  switch (`${kind.group}/${kind.kind}`) {
    case 'serving.knative.dev/Service':
    case 'serving.knative.dev/Configuration':
      return effectiveService(resource, config);
    case 'serving.knative.dev/DomainMapping':
      return effectiveMapping(resource);
    case 'eventing.knative.dev/Broker':
      return effectiveBroker(resource);
    case 'eventing.knative.dev/Trigger':
      return effectiveTrigger(resource);
    case 'sources.knative.dev/PingSource':
      return effectivePing(resource);
    case '/ConfigMap':
      return resource.metadata.name === 'config-domain' ? { domain: domainOf(config) } : {};
    default:
      return {};
  }
}
