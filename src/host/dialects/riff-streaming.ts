import { mapped, unsupported, type ReportLine, type Translation } from './dialect.ts';
import { listAt, objectAt, textAt, type JsonObject } from './json-path.ts';

/** Gateways, streams and processors of riff's streaming runtime. */
export function translateStreaming(document: JsonObject): Translation {
  const kind = textAt(document, 'kind') ?? '';
  if (kind.endsWith('Gateway')) return translateGateway(document);
  if (kind === 'Stream') return translateStream(document);
  if (kind === 'Processor') return translateProcessor(document);
  return { verdict: 'report', objects: [], report: [unsupported('kind', `${kind} is not known here`)], effective: null };
}

function translateGateway(document: JsonObject): Translation {
  const report: ReportLine[] = [mapped('spec', 'in-process streams')];
  for (const field of ['bootstrapServers', 'serviceURL'] as const) {
    if (textAt(document, 'spec', field) !== undefined) {
      report.push(unsupported(`spec.${field}`, 'streams stay in this process: no broker is connected'));
    }
  }
  return { verdict: 'translate', objects: [], report, effective: { kind: 'gateway', backend: 'memory' } };
}

function translateStream(document: JsonObject): Translation {
  const contentType = textAt(document, 'spec', 'contentType') ?? 'application/octet-stream';
  return {
    verdict: 'translate',
    objects: [],
    report: [mapped('spec.contentType', 'content type that every record must have', contentType)],
    effective: { kind: 'channel', name: textAt(document, 'metadata', 'name'), contentType },
  };
}

function translateProcessor(document: JsonObject): Translation {
  const spec = objectAt(document, 'spec');
  const report: ReportLine[] = [];
  const aliasOf = (binding: unknown): string => textAt(binding, 'alias') ?? textAt(binding, 'stream') ?? '';
  const inputs = listAt(spec, 'inputs');
  const outputs = listAt(spec, 'outputs');
  inputs.forEach((input, index) => {
    const offset = textAt(input, 'startOffset');
    if (offset === undefined) return;
    const meaning = offset === 'earliest' ? 'replay from the first record' : 'only new records';
    report.push(mapped(`spec.inputs[${index}].startOffset`, meaning, offset));
  });
  outputs.forEach((output, index) => {
    const alias = textAt(output, 'alias');
    if (alias !== undefined) report.push(mapped(`spec.outputs[${index}].alias`, 'named output', alias));
  });
  return {
    verdict: 'translate',
    objects: [],
    report,
    effective: {
      kind: 'stream-function',
      inputs: inputs.map(aliasOf),
      outputs: outputs.map(aliasOf),
      scaleToZeroWhen: 'no unread record',
    },
  };
}
