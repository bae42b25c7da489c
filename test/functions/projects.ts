// Projects written to a temporary folder, in the shape that their generators document.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

export interface MadeProject {
  readonly folder: string;
  write(file: string, text: string): string;
}

/** Makes a project of these files; it sees this repository's packages, and goes when the test ends. */
export function makeProject(files: Readonly<Record<string, string>>): MadeProject {
  const folder = mkdtempSync(join(tmpdir(), 'knative-embed-fn-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const write = (file: string, text: string): string => {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), text);
    return join(folder, file);
  };
  for (const [file, text] of Object.entries(files)) write(file, text);
  symlinkSync(new URL('../../node_modules', import.meta.url).pathname, join(folder, 'node_modules'));
  return { folder, write };
}

const funcYaml = (runtime: string, invoke: string): string =>
  `specVersion: 0.36.0\nname: sample\nruntime: ${runtime}\ncreated: 2026-01-01T00:00:00Z\ninvoke: ${invoke}\nrun:\n  envs:\n    - name: GREETING\n      value: hi\n`;

const manifest = (main: string): string =>
  JSON.stringify({
    name: 'sample',
    version: '0.1.0',
    main,
    scripts: { start: `FUNC_LOG_LEVEL=info faas-js-runtime ./${main}` },
    dependencies: { 'faas-js-runtime': '^3.0.2' },
  });

/** `func create -l node -t http`. */
export const nodeHttp = {
  'func.yaml': funcYaml('node', 'http'),
  'package.json': manifest('index.js'),
  'index.js': `
const handle = async (context, body) => {
  context.log.info('query', context.query);
  if (context.method === 'POST') {
    return { body: body, headers: { 'content-type': 'application/json' } };
  } else if (context.method === 'GET') {
    return { body: context.query, headers: { 'content-type': 'application/json' } };
  } else {
    return { statusCode: 405, statusMessage: 'Method not allowed' };
  }
};
module.exports = { handle };
`,
};

/** `func create -l node -t cloudevents`. */
export const nodeCloudEvents = {
  'func.yaml': funcYaml('node', 'cloudevent'),
  'package.json': manifest('index.js'),
  'index.js': `
const { CloudEvent } = require('cloudevents');
const handle = async (context, event) => {
  context.log.warn('event', event);
  return new CloudEvent({ source: 'function.eventViewer', type: 'echo', data: { seen: event.data, greeting: process.env.GREETING } });
};
module.exports = { handle };
`,
};

/** What \`tsc\` makes of \`func create -l typescript -t http\`. */
export const typescriptHttpBuilt = {
  'func.yaml': funcYaml('typescript', 'http'),
  'package.json': manifest('build/index.js'),
  'src/index.ts': `
import { Context, StructuredReturn } from 'faas-js-runtime';
const handle = async (context: Context, body: string): Promise<StructuredReturn> => ({ body, headers: { 'content-type': 'application/json' } });
export { handle };
`,
  'build/index.js': `
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.handle = void 0;
const handle = async (context, body) => ({ body, headers: { 'content-type': 'application/json' } });
exports.handle = handle;
`,
};

/** What \`tsc\` makes of \`func create -l typescript -t cloudevents\`. */
export const typescriptCloudEventsBuilt = {
  'func.yaml': funcYaml('typescript', 'cloudevent'),
  'package.json': manifest('build/index.js'),
  'src/index.ts': `
import { CloudEvent } from 'cloudevents';
import { Context } from 'faas-js-runtime';
const handle = async (context: Context, cloudevent?: CloudEvent<unknown>): Promise<CloudEvent<unknown>> => {
  if (!cloudevent) return new CloudEvent({ type: 'error', source: 'function', data: { message: 'No event received' } });
  return new CloudEvent<unknown>({ source: 'function.eventViewer', type: 'echo', ...(cloudevent as object) });
};
export { handle };
`,
  'build/index.js': `
"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.handle = void 0;
const cloudevents_1 = require("cloudevents");
const handle = async (context, cloudevent) => {
  if (!cloudevent) return new cloudevents_1.CloudEvent({ type: 'error', source: 'function', data: { message: 'No event received' } });
  return new cloudevents_1.CloudEvent({ source: 'function.eventViewer', type: 'echo', ...cloudevent });
};
exports.handle = handle;
`,
};

/** The quickstart of functions-framework. */
export const frameworkQuickstart = {
  'package.json': JSON.stringify({
    name: 'sample',
    main: 'index.js',
    scripts: { start: 'functions-framework --target=HelloWorld' },
    dependencies: { '@google-cloud/functions-framework': '^5.0.0' },
  }),
  'index.js': `
const functions = require('@google-cloud/functions-framework');
functions.http('HelloWorld', (req, res) => { res.send('Hello, World'); });
functions.cloudEvent('HelloEvent', (event) => ({ id: event.id, data: event.data }));
exports.plain = (req, res) => { res.status(201).json({ path: req.path, body: req.body }); };
`,
};
