import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { command } from '../../src/cli/commands/cesql.ts';
import { KnativeError } from '../../src/errors.ts';

const event = JSON.stringify({ specversion: '1.0', id: '1', source: '/s', type: 'order.new', total: 120 });

async function run(
  positionals: string[],
  options: Record<string, boolean> = {},
): Promise<{ code: number; out: string[]; err: string[] }> {
  const out: string[] = [];
  const err: string[] = [];
  const code = await command.run({
    options,
    positionals,
    env: {},
    stdin: Readable.from([Buffer.from(event)]),
    print: (line) => out.push(line),
    printError: (line) => err.push(line),
    isTty: false,
    signal: new AbortController().signal,
  });
  return { code, out, err };
}

describe('knative-embed cesql', () => {
  it('shows the value of each part and the verdict', async () => {
    const { code, out } = await run(["type LIKE 'order.%' AND total > 100", '-']);
    expect(code).toBe(0);
    expect(out[0]).toBe("type LIKE 'order.%' AND total > 100  →  true");
    expect(out).toContain('    total  →  120');
    expect(out.at(-1)).toBe('a filter with this expression passes the event');
  });

  it('tells a failing filter, as JSON too', async () => {
    const { code, out } = await run(['missing = 1', '-'], { json: true });
    expect(code).toBe(1);
    expect(JSON.parse(out[0] ?? '')).toMatchObject({
      passes: false,
      value: false,
      error: { kind: 'missingAttribute', position: 0 },
    });
  });

  it('points at what does not parse', async () => {
    const { code, err } = await run(['type == 1']);
    expect(code).toBe(1);
    expect(err.slice(0, 2)).toEqual(['type == 1', '      ^']);
  });

  it('says what is wrong with its arguments and files', async () => {
    expect((await run([])).code).toBe(2);
    expect((await run(['TRUE'])).out).toEqual(['the expression parses']);
    const error: unknown = await run(['TRUE', '/does/not/exist']).catch((reason: unknown) => reason);
    expect(KnativeError.is(error) && error.code).toBe('CLI_FILE');
  });

  it('evaluates as upstream when asked to', async () => {
    expect((await run(['FALSE AND FALSE OR TRUE', '-'])).code).toBe(0);
    expect((await run(['FALSE AND FALSE OR TRUE', '-'], { upstream: true })).code).toBe(1);
  });
});
