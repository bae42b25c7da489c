const structuredJson = 'application/cloudevents+json';
const structuredJsonUtf8 = `${structuredJson}; charset=utf-8`;
const batchJson = 'application/cloudevents-batch+json';
const anyCloudEvents = 'application/cloudevents';

/** How an HTTP message carries events. `unsupported`: structured or batched in a format that this package does not read. */
export type ContentMode = 'binary' | 'structured' | 'batch' | 'unsupported';

/** The mode that a Content-Type says, `binary` for every type outside the CloudEvents family. */
export function modeOfContentType(contentType: string | undefined): ContentMode {
  // Nearly every event is binary with a short common type: decided by its first letters without making a string.
  if (contentType === undefined || !startsLikeCloudEvents(contentType)) return 'binary';
  if (contentType === structuredJson || contentType === structuredJsonUtf8) return 'structured';
  const essence = essenceOf(contentType);
  if (essence === structuredJson) return 'structured';
  if (essence === batchJson) return 'batch';
  return essence === anyCloudEvents ||
    essence.startsWith(`${anyCloudEvents}+`) ||
    essence === `${anyCloudEvents}-batch` ||
    essence.startsWith(`${anyCloudEvents}-batch+`)
    ? 'unsupported'
    : 'binary';
}

function startsLikeCloudEvents(contentType: string): boolean {
  let at = 0;
  while (contentType.charCodeAt(at) === 0x20 || contentType.charCodeAt(at) === 0x09) at++;
  // 'c' of application/cloudevents in either case.
  return (contentType.charCodeAt(at + 12) | 0x20) === 0x63 && contentType.charCodeAt(at + 11) === 0x2f;
}

/** Type and subtype in lower case, without parameters. */
export function essenceOf(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}

/** True for `application/json`, `text/json` and every `+json` type, whatever the case and the parameters. */
export function isJsonContentType(contentType: string): boolean {
  if (contentType === 'application/json') return true;
  const essence = essenceOf(contentType);
  return essence.endsWith('+json') || essence.endsWith('/json');
}

/** True for `text/*` and XML types, whose data are handed out as text. */
export function isTextContentType(contentType: string): boolean {
  const essence = essenceOf(contentType);
  return essence.startsWith('text/') || essence === 'application/xml' || essence.endsWith('+xml');
}

/** The charset parameter, `utf-8` when absent. */
export function charsetOf(contentType: string): string {
  const match = /;\s*charset\s*=\s*"?([^\s;"]{1,40})/i.exec(contentType);
  return match?.[1]?.toLowerCase() ?? 'utf-8';
}
