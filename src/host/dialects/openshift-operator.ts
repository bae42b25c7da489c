import { parseSmallYaml } from '../../api/small-yaml.ts';
import { info, mapped, unsupported, type ReportLine, type Translation } from './dialect.ts';
import { asObject, objectAt, textAt, textEntries, type JsonObject } from './json-path.ts';

const withoutEffect = new Set(['version', 'manifests', 'additionalManifests', 'registry', 'security', 'controller-custom-certs']);

/** KnativeServing and KnativeEventing resources of the operator hold the config maps; the rest of them describes an installation. */
export function translateOperator(document: JsonObject): Translation | undefined {
  const kind = textAt(document, 'kind');
  if (kind !== 'KnativeServing' && kind !== 'KnativeEventing') {
    return {
      verdict: 'report',
      objects: [],
      report: [unsupported('kind', `${kind ?? ''} is not read here`)],
      effective: null,
    };
  }
  const home = kind === 'KnativeServing' ? 'knative-serving' : 'knative-eventing';
  const namespace = textAt(document, 'metadata', 'namespace') ?? home;
  const maps: Record<string, JsonObject> = {};
  const report: ReportLine[] = [];
  for (const [key, data] of Object.entries(objectAt(document, 'spec', 'config') ?? {})) {
    const name = configMapName(key);
    maps[name] = Object.fromEntries(textEntries(data));
    report.push(mapped(`spec.config.${key}`, `ConfigMap ${name}`));
  }
  const objects = Object.entries(maps).map(([name, data]) => ({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace },
    data,
  }));
  const channel = defaultChannel(maps['default-ch-webhook']);
  return {
    verdict: 'translate',
    objects,
    report: [...report, ...reportInstallation(document)],
    effective: { configMaps: maps, ...(channel === undefined ? {} : { defaultChannel: channel }) },
  };
}

function configMapName(key: string): string {
  return key.startsWith('config-') || key === 'default-ch-webhook' ? key : `config-${key}`;
}

function reportInstallation(document: JsonObject): readonly ReportLine[] {
  const report: ReportLine[] = [];
  for (const [key, value] of Object.entries(objectAt(document, 'spec') ?? {})) {
    if (key === 'config') continue;
    if (key === 'ingress') {
      for (const name of Object.keys(asObject(value) ?? {}))
        report.push(info(`spec.ingress.${name}`, 'there is one built-in ingress'));
    } else if (key === 'high-availability') {
      report.push(unsupported('spec.high-availability', 'one process; replicas are not started'));
    } else if (withoutEffect.has(key)) report.push(info(`spec.${key}`, 'describes an installation'));
    else report.push(unsupported(`spec.${key}`, 'changes an installation that is not here'));
  }
  return report;
}

function defaultChannel(data: JsonObject | undefined): string | undefined {
  const text = textAt(data, 'default-ch-config');
  return text === undefined ? undefined : textAt(parseSmallYaml(text), 'clusterDefault', 'kind');
}
