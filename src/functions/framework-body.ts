import type { ServerResponse } from 'node:http';
import { KnativeError } from '../errors.ts';
import { asBuffer, decodeContent, textOf } from './body.ts';
import type { FrameworkRequest } from './framework-request.ts';
import { parseForm } from './form.ts';

/** functions-framework's limit, 1024 MB. */
export const frameworkBodyBytesMax = 1024 * 1024 * 1024;

/**
 * Reads and parses the body into `request.body` and `request.rawBody`: JSON (CloudEvents included), text in its charset, forms,
 * else bytes; compressed bodies are decompressed. Calls `done` once.
 */
export function readFrameworkBody(request: FrameworkRequest, _response: ServerResponse, done: (error?: Error) => void): void {
  const hasBody = request.headers['transfer-encoding'] !== undefined || request.headers['content-length'] !== undefined;
  const contentType = request.headers['content-type'];
  if (!hasBody) {
    done();
    return;
  }
  const chunks: Buffer[] = [];
  let totalBytes = 0;
  let settled = false;
  const settle = (error?: Error): void => {
    if (settled) return;
    settled = true;
    done(error);
  };
  request.on('data', (chunk: Buffer) => {
    totalBytes += chunk.length;
    if (totalBytes <= frameworkBodyBytesMax) chunks.push(chunk);
    else settle(new KnativeError('FUNCTIONS_BODY_TOO_LARGE', 'request entity too large', { status: 413 }));
  });
  request.on('error', settle);
  request.on('close', () => {
    if (!request.complete) settle(new KnativeError('HTTP_ABORTED', 'request aborted', { status: 400 }));
  });
  request.on('end', () => {
    if (settled) return;
    decodeContent(
      Buffer.concat(chunks, totalBytes),
      request.headers['content-encoding'] ?? 'identity',
      frameworkBodyBytesMax,
      (error, bytes) => {
        if (error !== undefined) {
          settle(error);
          return;
        }
        // A request without content type and without bytes has no body.
        if (contentType === undefined && bytes.byteLength === 0) {
          settle();
          return;
        }
        try {
          request.rawBody = asBuffer(bytes);
          request.body = parse(request.rawBody, contentType);
          settle();
        } catch (parseError) {
          settle(parseError instanceof Error ? parseError : new Error(String(parseError)));
        }
      },
    );
  });
}

function parse(bytes: Buffer, contentType: string | undefined): unknown {
  const type = contentType?.split(';')[0]?.trim().toLowerCase();
  if (contentType === undefined || type === undefined) return bytes;
  switch (type) {
    case 'application/json':
    case 'application/cloudevents+json':
      return bytes.length === 0 ? {} : parseJson(textOf(bytes, contentType));
    case 'text/plain':
      return textOf(bytes, contentType);
    case 'application/x-www-form-urlencoded':
      return parseForm(textOf(bytes, contentType));
    default:
      return bytes;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new KnativeError('FUNCTIONS_BODY_INVALID', cause instanceof Error ? cause.message : String(cause), {
      status: 400,
      cause,
    });
  }
}
