import fc from 'fast-check';
import { expect, test } from 'vitest';
import { KnativeError } from '../../src/errors.ts';
import { ResponseParser } from '../../src/http/response-parser.ts';

interface Parsed {
  heads: { status: number; headers: string[]; length: number }[];
  body: string;
  trailers: readonly string[] | undefined;
  error: string | undefined;
}

/** Feeds the pieces of a response and tells what came out; every piece is overwritten afterwards, as a socket's buffer is. */
function parse(pieces: readonly Buffer[], method = 'GET', close = true): Parsed {
  const parsed: Parsed = { heads: [], body: '', trailers: undefined, error: undefined };
  const parser = new ResponseParser({
    method,
    head: (status, headers, { length }) => void parsed.heads.push({ status, headers, length }),
    body: (chunk) => void (parsed.body += chunk.toString('latin1')),
    end: (trailers) => void (parsed.trailers = trailers),
    tunnel: (bytes) => void (parsed.body += `tunnel:${bytes.toString('latin1')}`),
  });
  parser.start();
  try {
    for (const piece of pieces) {
      const shared = Buffer.from(piece);
      parser.execute(shared);
      shared.fill(0);
    }
    if (close && !parser.idle) parser.finish();
  } catch (error) {
    if (!KnativeError.is(error)) throw error;
    parsed.error = error.code;
  }
  return parsed;
}

function split(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const at = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].sort((a, b) => a - b);
  return [...at, bytes.length].map((end, i) => bytes.subarray(at[i - 1] ?? 0, end)).filter((piece) => piece.length > 0);
}

const body = fc.string({ unit: 'binary-ascii', maxLength: 60 });
const chunked = fc
  .tuple(fc.array(fc.string({ minLength: 1, maxLength: 30 }).map((text) => Buffer.from(text).toString('latin1'))), fc.boolean())
  .map(([chunks, trailer]) => {
    const coded = chunks.map((chunk) => `${chunk.length.toString(16)};x=1\r\n${chunk}\r\n`).join('');
    return {
      text: `HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\nX: y\r\n\r\n${coded}0\r\n${trailer ? 'X-T: v\r\n' : ''}\r\n`,
      body: chunks.join(''),
    };
  });
const sized = body.map((text) => ({ text: `HTTP/1.1 200\r\nContent-Length:${text.length}\r\n\r\n${text}`, body: text }));
const open = body.map((text) => ({ text: `HTTP/1.0 200 fine\r\n\r\n${text}`, body: text }));
const interim = sized.map((response) => ({ ...response, text: `HTTP/1.1 103 Early\r\nLink: a\r\n\r\n${response.text}` }));
const response = fc.oneof(chunked, sized, open, interim);

test('a response means the same however it is cut into pieces', () => {
  fc.assert(
    fc.property(response, fc.array(fc.nat(300), { maxLength: 12 }), ({ text, body: expected }, cuts) => {
      const bytes = Buffer.from(text, 'latin1');
      const whole = parse([bytes]);
      expect(whole.error).toBeUndefined();
      expect(whole.body).toBe(expected);
      expect(parse(split(bytes, cuts))).toEqual(whole);
    }),
  );
});

test('damaged and random bytes give an error or a response, never anything else, and the same for any cut', () => {
  const damaged = fc
    .tuple(response, fc.nat(400), fc.constantFrom('\r', '\n', ' ', ':', '\0', 'x', ''))
    .map(([{ text }, at, by]) => {
      const i = at % text.length;
      return text.slice(0, i) + by + text.slice(i + 1);
    });
  fc.assert(
    fc.property(
      fc.oneof(damaged, fc.string({ unit: 'binary-ascii', maxLength: 200 })),
      fc.array(fc.nat(300), { maxLength: 8 }),
      (text, cuts) => {
        const bytes = Buffer.from(text, 'latin1');
        const whole = parse([bytes]);
        const pieces = parse(split(bytes, cuts));
        // Whether an error is seen before or after the pieces around it does not matter; that it is seen does.
        expect(pieces.error === undefined).toBe(whole.error === undefined);
        if (whole.error === undefined) expect(pieces).toEqual(whole);
      },
    ),
    { numRuns: 500 },
  );
});

test('a bare line break before a header value is an error, also when the head came in one piece', () => {
  expect(parse([Buffer.from('HTTP/1.1 200\r\nLink:\na\r\nContent-Length:0\r\n\r\n')]).error).toBeDefined();
});

test('answers to HEAD and those without a body end with their head', () => {
  const head = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n';
  expect(parse([Buffer.from(head)], 'HEAD', false)).toMatchObject({ body: '', trailers: [] });
  expect(parse([Buffer.from('HTTP/1.1 304 Not Modified\r\nContent-Length: 10\r\n\r\n')], 'GET', false).trailers).toEqual([]);
  expect(parse([Buffer.from('HTTP/1.1 204 No Content\r\n\r\n')], 'GET', false).trailers).toEqual([]);
});

test('a switch of protocols hands over what follows', () => {
  expect(parse([Buffer.from('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc')], 'GET', false).body).toBe('tunnel:abc');
});
