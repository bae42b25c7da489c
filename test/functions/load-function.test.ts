import { describe, expect, test } from 'vitest';
import { loadFunction } from '../../src/functions/index.ts';
import { createFunctionKit } from '../../src/testing/function-kit.ts';
import { makeProject } from './projects.ts';

async function answerOf(files: Readonly<Record<string, string>>, path: string, options = {}): Promise<string> {
  const { folder } = makeProject(files);
  const { definition } = await loadFunction(`${folder}${path}`, options);
  await using kit = createFunctionKit(definition);
  const answer = await kit.request({ body: 7, headers: { 'content-type': 'application/json' } });
  return `${answer.status} ${answer.text}`;
}

describe('a function is found', () => {
  test.each([
    ['as default export', { 'a.mjs': 'export default () => "default"' }, '/a.mjs', {}],
    ['as named handle', { 'a.mjs': 'export const handle = () => "named"' }, '/a.mjs', {}],
    ['as module.exports', { 'a.cjs': 'module.exports = () => "cjs"' }, '/a.cjs', {}],
    ['as exports.handle', { 'a.cjs': 'exports.handle = () => "cjs handle"' }, '/a.cjs', {}],
    ['in TypeScript', { 'package.json': '{"type":"module"}', 'a.ts': 'export default (): string => "typed"' }, '/a.ts', {}],
    ['without its extension', { 'a.mjs': 'export default () => "short"' }, '/a', {}],
    ['in a folder by main', { 'package.json': '{"main":"lib/x.mjs"}', 'lib/x.mjs': 'export default () => "main"' }, '', {}],
    ['in a folder by name', { 'function.js': 'module.exports = () => "function.js"' }, '', {}],
    ['by target', { 'a.mjs': 'export const api = { v1: { hello: () => "deep" } }' }, '/a.mjs', { target: 'api.v1.hello' }],
  ])('%s', async (_name, files, path, options) => {
    expect(await answerOf(files, path, options)).toMatch(
      /^200 (default|named|cjs|cjs handle|typed|short|main|function\.js|deep)$/,
    );
  });

  test("as a plain function in riff's style", async () => {
    expect(
      await answerOf({ 'a.cjs': 'module.exports = (x) => x ** 2; module.exports.$argumentType = "payload";' }, '/a.cjs'),
    ).toBe('200 49');
    expect(await answerOf({ 'a.mjs': 'export default (x) => x ** 2' }, '/a.mjs', { conventions: 'plain' })).toBe('200 49');
  });
});

describe('what is wrong is said', () => {
  test.each([
    ['no such module', {}, '/nothing', 'FUNCTIONS_NO_MODULE'],
    ['no function in it', { 'a.mjs': 'export const x = 1' }, '/a.mjs', 'FUNCTIONS_NOT_A_FUNCTION'],
    ['a syntax error', { 'a.mjs': 'export default (' }, '/a.mjs', 'FUNCTIONS_LOAD_FAILED'],
    ['a missing import', { 'a.mjs': 'import "nowhere-to-be-found"' }, '/a.mjs', 'FUNCTIONS_LOAD_FAILED'],
  ])('%s', async (_name, files, path, code) => {
    const { folder } = makeProject(files);
    await expect(loadFunction(`${folder}${path}`)).rejects.toMatchObject({ code });
  });
});
