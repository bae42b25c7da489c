import { info, mapped, unsupported, type ReportLine, type Translation } from './dialect.ts';
import { objectAt, textAt, type JsonObject } from './json-path.ts';

/** Functions, applications and containers that riff builds: known by name, loaded from where the host is told. */
export function translateBuild(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const report: ReportLine[] = [];
  const artifact = textAt(spec, 'artifact');
  const handler = textAt(spec, 'handler');
  const image = textAt(spec, 'image');
  if (artifact !== undefined) report.push(mapped('spec.artifact', 'module loaded as the function', artifact));
  if (handler !== undefined) report.push(mapped('spec.handler', 'exported function', handler));
  if (image !== undefined) report.push(info('spec.image', 'name under which the image map finds the program', image));
  if (objectAt(spec, 'source', 'git') !== undefined) {
    report.push(
      unsupported('spec.source.git', 'sources are taken from a local path given to the host; nothing is cloned or built'),
    );
  }
  const kind = (textAt(document, 'kind') ?? '').toLowerCase();
  const effective: JsonObject = { kind };
  if (artifact !== undefined) effective['module'] = artifact;
  if (image !== undefined) effective['image'] = image;
  return { verdict: 'translate', objects: [], report, effective };
}
