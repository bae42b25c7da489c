// Replays config-autoscaler, annotation validation and the derivation of deciders.
import { parseAutoscalerConfig, type AutoscalerConfig } from '../../src/api/autoscaling/config-autoscaler.ts';
import { validateAutoscalingAnnotations, validateNoAutoscalingAnnotations } from '../../src/api/autoscaling/annotations.ts';
import { errorText, viaField } from '../../src/api/field-errors.ts';
import { differencesOf, type ReplayCase } from './replay.ts';
import { casesOf, jsonNumbers } from './autoscaler.cases.ts';

interface ConfigCase {
  data: Record<string, string>;
  config?: unknown;
  error?: string;
}

interface AnnotationCase {
  config: Record<string, string> | null;
  annotations: Record<string, string>;
  error: string | null;
  errorInTemplate?: string;
}

export function configOf(data: Record<string, string> | null | undefined): AutoscalerConfig {
  const parsed = parseAutoscalerConfig(data ?? {});
  if ('error' in parsed) throw new Error(parsed.error);
  return parsed.config;
}

export function* configCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<ConfigCase>(folder, 'config.json').entries()) {
    const expected = item.error === undefined ? { config: item.config } : { error: item.error };
    yield {
      file: 'config.json',
      id: String(index + 1),
      expected,
      check: (want: unknown) => differencesOf(want, jsonNumbers(parseAutoscalerConfig(item.data))),
    };
  }
}

export function* annotationCases(folder: string): Iterable<ReplayCase> {
  for (const [index, item] of casesOf<AnnotationCase>(folder, 'annotations.json').entries()) {
    yield {
      file: 'annotations.json',
      id: String(index + 1),
      expected: { error: item.error, errorInTemplate: item.errorInTemplate ?? null },
      check: (want: unknown) => {
        const errors = validateAutoscalingAnnotations(configOf(item.config), item.annotations);
        const inTemplate = viaField(viaField(viaField(viaField(errors, 'annotations'), 'metadata'), 'template'), 'spec');
        return differencesOf(want, {
          error: errors.length === 0 ? null : errorText(errors),
          errorInTemplate: errors.length === 0 ? null : errorText(inTemplate),
        });
      },
    };
  }
  for (const [index, item] of casesOf<{ annotations: Record<string, string>; error: string | null }>(
    folder,
    'annotations-wrong-level.json',
  ).entries()) {
    yield {
      file: 'annotations-wrong-level.json',
      id: String(index + 1),
      expected: item.error,
      check: (want: unknown) => {
        const errors = validateNoAutoscalingAnnotations(item.annotations);
        return differencesOf(want, errors.length === 0 ? null : errorText(errors));
      },
    };
  }
}
