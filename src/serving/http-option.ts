import type { NetworkConfig } from './config/network.ts';
import { annotationSpellings, annotationValue } from './keys.ts';
import type { StringMap } from './metadata.ts';

export type HttpOption = 'Enabled' | 'Redirected';

/** Whether plain HTTP is served or redirected: the annotation, else config-network; `undefined` when that says `disabled`. */
export function httpOptionOf(
  network: NetworkConfig,
  annotations: StringMap | undefined,
): { readonly option: HttpOption | undefined } | { readonly error: string } {
  const protocol = annotationValue(annotations, annotationSpellings.httpProtocol)?.toLowerCase() ?? '';
  switch (protocol === '' ? network.httpProtocol : protocol) {
    case 'enabled':
      return { option: 'Enabled' };
    case 'redirected':
      return { option: 'Redirected' };
    default:
      return protocol === '' ? { option: undefined } : { error: `incorrect http-protocol annotation: ${protocol}` };
  }
}
