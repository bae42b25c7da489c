import { also, missingField, noErrors, type FieldErrors } from '../field-errors.ts';
import type { AdmissionContext } from '../kind.ts';
import { any, describe, object, string, type TypeOf } from '../schema.ts';
import { parseYamlText } from './yaml-text.ts';

/** The kind of channel that is made (`messagingv1.ChannelTemplateSpec`). */
export const channelTemplate = object({
  apiVersion: string,
  kind: string,
  spec: describe(any, 'Copied into the spec of the channel.'),
});
export type ChannelTemplate = TypeOf<typeof channelTemplate>;

export function validateChannelTemplate(template: ChannelTemplate): FieldErrors {
  return also(
    (template.kind ?? '') === '' ? missingField('kind') : noErrors,
    (template.apiVersion ?? '') === '' ? missingField('apiVersion') : noErrors,
  );
}

/** The template that config map `default-ch-webhook` gives for a namespace; `undefined` when it gives none. */
export function defaultChannelTemplate(context: AdmissionContext, namespace: string | undefined): ChannelTemplate | undefined {
  const text = context.config?.('default-ch-webhook')?.['default-ch-config'];
  if (text === undefined || text === '') return undefined;
  const parsed = parseYamlText(text);
  if ('error' in parsed || !isRecord(parsed.value)) return undefined;
  const { clusterDefault, namespaceDefaults } = parsed.value;
  const own = isRecord(namespaceDefaults) && namespace !== undefined && Object.hasOwn(namespaceDefaults, namespace);
  const chosen = own ? namespaceDefaults[namespace] : clusterDefault;
  if (!isRecord(chosen)) return undefined;
  const { apiVersion, kind, spec } = chosen;
  return {
    ...(typeof apiVersion === 'string' ? { apiVersion } : {}),
    ...(typeof kind === 'string' ? { kind } : {}),
    ...(isRecord(spec) ? { spec } : {}),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
