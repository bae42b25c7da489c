/** Files of a new project by their paths. */
export type ProjectFiles = Readonly<Record<string, string>>;

function manifest(name: string, main: string, more: Readonly<Record<string, unknown>> = {}): string {
  const { dependencies, scripts, ...rest } = more as { dependencies?: object; scripts?: object };
  const content = {
    name,
    version: '0.1.0',
    private: true,
    type: 'module',
    main,
    scripts: { start: 'knative-embed run . --watch', test: 'node --test', ...scripts },
    dependencies: { 'knative-embed': '*', ...dependencies },
    ...rest,
  };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const httpFunction = `import { defineFunction } from 'knative-embed/functions';

/** Greets whom the query names; a JSON body comes back as it was understood. */
export default defineFunction((context, body) => {
  context.log.info({ path: context.path }, 'called');
  return { greeting: \`Hello, \${context.query.name ?? 'world'}!\`, ...(body === undefined ? {} : { received: body }) };
});
`;

const httpTest = (file: string): string => `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFunctionKit } from 'knative-embed/testing';
import hello from '../${file}';

test('greets', async () => {
  await using kit = createFunctionKit(hello);
  const answer = await kit.request('/?name=Ada');
  assert.equal(answer.status, 200);
  assert.deepEqual(answer.json(), { greeting: 'Hello, Ada!' });
});
`;

const eventFunction = `import { defineFunction } from 'knative-embed/functions';

/** Answers every order with an event; a Trigger hands it back to the broker. */
export default defineFunction.event((context, event) =>
  context.cloudEventResponse({ order: event.data.order, accepted: true }).type('order.accepted').response(),
);
`;

const eventTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFunctionKit } from 'knative-embed/testing';
import accept from '../index.js';

test('accepts an order', async () => {
  await using kit = createFunctionKit(accept);
  const answer = await kit.send({ type: 'order.placed', data: { order: 'o-1' } });
  assert.equal(answer.event.type, 'order.accepted');
  assert.deepEqual(answer.event.data, { order: 'o-1', accepted: true });
});
`;

const typedFunction = `import { defineFunction } from 'knative-embed/functions';

interface Order {
  order: string;
  total: number;
}

/** JSON Schema of the data: events that do not fit are answered 400 before the handler runs. */
const schema = {
  type: 'object',
  required: ['order', 'total'],
  properties: { order: { type: 'string' }, total: { type: 'number', minimum: 0 } },
};

export default defineFunction.event({
  data: schema,
  handle(context, event) {
    const { order, total } = event.data as Order;
    return context.cloudEventResponse({ order, accepted: total < 1000 }).type('order.checked').response();
  },
});
`;

const typedTest = `import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFunctionKit } from 'knative-embed/testing';
import check from '../index.ts';

test('checks an order', async () => {
  await using kit = createFunctionKit(check);
  const answer = await kit.send({ type: 'order.placed', data: { order: 'o-1', total: 12 } });
  assert.deepEqual(answer.event?.data, { order: 'o-1', accepted: true });
});

test('refuses an order without a total', async () => {
  await using kit = createFunctionKit(check);
  assert.equal((await kit.send({ type: 'order.placed', data: { order: 'o-1' } })).status, 400);
});
`;

const expressApp = `import express from 'express';
import { expressMiddleware } from 'knative-embed/functions';
import orders from './orders.js';

export const app = express();
app.get('/', (_request, response) => response.send('an Express app with a function in it\\n'));
app.use('/orders', expressMiddleware(orders));

if (process.argv[1] === import.meta.filename) app.listen(process.env.PORT ?? 8080);
`;

const ignore = 'node_modules\n';

/** The projects that \`knative-embed new function\` can make. */
export const projectTemplates = {
  http: (name: string): ProjectFiles => ({
    'package.json': manifest(name, 'index.js'),
    'index.js': httpFunction,
    'test/function.test.js': httpTest('index.js'),
    '.gitignore': ignore,
  }),
  event: (name: string): ProjectFiles => ({
    'package.json': manifest(name, 'index.js'),
    'index.js': eventFunction,
    'test/function.test.js': eventTest,
    '.gitignore': ignore,
  }),
  typescript: (name: string): ProjectFiles => ({
    'package.json': manifest(name, 'index.ts'),
    'index.ts': typedFunction,
    'test/function.test.ts': typedTest,
    'tsconfig.json': `${JSON.stringify({ compilerOptions: { module: 'nodenext', target: 'es2023', strict: true, erasableSyntaxOnly: true, allowImportingTsExtensions: true, noEmit: true } }, null, 2)}\n`,
    '.gitignore': ignore,
  }),
  express: (name: string): ProjectFiles => ({
    'package.json': manifest(name, 'app.js', { dependencies: { express: '^5.0.0' }, scripts: { start: 'node app.js' } }),
    'app.js': expressApp,
    'orders.js': httpFunction,
    'test/function.test.js': httpTest('orders.js'),
    '.gitignore': ignore,
  }),
} as const;
