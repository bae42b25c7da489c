/** The headers that decide how a call is read. */
export class RequestHead {
  contentType: string | undefined = undefined;
  contentLength: string | undefined = undefined;
  contentEncoding: string | undefined = undefined;
  /** `ce-id` or `ce-specversion`: the request may be a binary event. */
  ceId: string | undefined = undefined;
  ceSpecversion: string | undefined = undefined;
}

/** Finds them in one pass; the length of a name sorts out nearly all without comparing text. */
export function scanHead(rawHeaders: readonly string[], head: RequestHead): void {
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? '';
    switch (name.length) {
      case 5:
        if (is(name, 'ce-id')) head.ceId ??= rawHeaders[i + 1];
        break;
      case 12:
        if (is(name, 'content-type')) head.contentType ??= rawHeaders[i + 1];
        break;
      case 14:
        if (is(name, 'content-length')) head.contentLength ??= rawHeaders[i + 1];
        else if (is(name, 'ce-specversion')) head.ceSpecversion ??= rawHeaders[i + 1];
        break;
      case 16:
        if (is(name, 'content-encoding')) head.contentEncoding ??= rawHeaders[i + 1];
        break;
    }
  }
}

function is(name: string, lowerName: string): boolean {
  return name === lowerName || name.toLowerCase() === lowerName;
}
