/** The headers that decide how a call is read, found in one pass. */
export interface RequestHead {
  contentType: string | undefined;
  contentLength: string | undefined;
  contentEncoding: string | undefined;
  chunked: boolean;
  /** `ce-id` or `ce-specversion`: the request may be a binary event. */
  ceId: string | undefined;
  ceSpecversion: string | undefined;
}

/** One pass over raw headers; the length of a name sorts out nearly all without comparing text. */
export function scanHead(rawHeaders: readonly string[]): RequestHead {
  const head: RequestHead = {
    contentType: undefined,
    contentLength: undefined,
    contentEncoding: undefined,
    chunked: false,
    ceId: undefined,
    ceSpecversion: undefined,
  };
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
      case 17:
        if (is(name, 'transfer-encoding')) head.chunked = true;
        break;
    }
  }
  return head;
}

function is(name: string, lowerName: string): boolean {
  return name === lowerName || name.toLowerCase() === lowerName;
}
