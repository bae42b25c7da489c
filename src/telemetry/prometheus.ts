import type { Attributes } from './meter.ts';
import type { Instrument, Series } from './instrument.ts';

/** Content type of the text. */
export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

const unitSuffixes: Readonly<Record<string, string>> = { s: 'seconds', ms: 'milliseconds', By: 'bytes', '1': 'ratio' };

/** Instruments in Prometheus text format, named as OpenTelemetry's exporter does: dots to underscores, unit and `_total` behind. */
export function prometheusText(instruments: Iterable<Instrument>): string {
  const lines: string[] = [];
  for (const instrument of instruments) {
    const name = metricName(instrument);
    const type = instrument.kind === 'histogram' ? 'histogram' : instrument.kind === 'counter' ? 'counter' : 'gauge';
    const { description } = instrument.settings;
    if (description !== undefined) lines.push(`# HELP ${name} ${description.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`);
    lines.push(`# TYPE ${name} ${type}`);
    for (const series of instrument.series) {
      if (type === 'histogram') pushHistogram(lines, name, instrument, series);
      else lines.push(`${name}${labels(series.attributes)} ${number(series.value)}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

function metricName({ name, kind, settings }: Instrument): string {
  let text = name.replace(/[^a-zA-Z0-9_:]/g, '_').replace(/^(?=\d)/, '_');
  const unit = settings.unit === undefined ? undefined : unitSuffixes[settings.unit];
  if (unit !== undefined && !text.endsWith(`_${unit}`)) text += `_${unit}`;
  if (kind === 'counter' && !text.endsWith('_total')) text += '_total';
  return text;
}

function pushHistogram(lines: string[], name: string, instrument: Instrument, series: Series): void {
  let total = 0;
  instrument.settings.boundaries.forEach((bound, index) => {
    total += series.counts[index] ?? 0;
    lines.push(`${name}_bucket${labels(series.attributes, number(bound))} ${total}`);
  });
  lines.push(`${name}_bucket${labels(series.attributes, '+Inf')} ${series.count}`);
  lines.push(
    `${name}_sum${labels(series.attributes)} ${number(series.value)}`,
    `${name}_count${labels(series.attributes)} ${series.count}`,
  );
}

function labels(attributes: Attributes, le?: string): string {
  const parts = Object.keys(attributes)
    .sort()
    .map((name) => `${name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_')}="${escapeValue(String(attributes[name]))}"`);
  if (le !== undefined) parts.push(`le="${le}"`);
  return parts.length === 0 ? '' : `{${parts.join(',')}}`;
}

function escapeValue(value: string): string {
  return value.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
}

function number(value: number): string {
  return Number.isFinite(value) ? String(value) : value > 0 ? '+Inf' : value < 0 ? '-Inf' : 'NaN';
}
