import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/', import.meta.url));

/** What a room may import, besides itself and the kernel. docs/architecture.md draws the same. */
const allowed: Record<string, readonly string[]> = {
  kernel: [],
  telemetry: [],
  cloudevents: [],
  http: [],
  api: ['cloudevents'],
  controller: ['api', 'cloudevents', 'telemetry'],
  serving: ['api', 'cloudevents', 'http', 'telemetry'],
  autoscaler: ['api', 'cloudevents', 'http', 'telemetry'],
  eventing: ['api', 'cloudevents', 'http', 'telemetry'],
  functions: ['api', 'cloudevents', 'http', 'telemetry'],
  simulator: ['api', 'cloudevents', 'http', 'telemetry', 'autoscaler', 'serving'],
};
const modules = [
  'api',
  'cloudevents',
  'http',
  'telemetry',
  'controller',
  'autoscaler',
  'serving',
  'eventing',
  'functions',
  'simulator',
];
allowed['host'] = modules;
allowed['testing'] = [...modules, 'host'];
allowed['cli'] = [...modules, 'host', 'testing'];

/** Edges: the files and folders that may touch Node, the clock or the network. Everything else is pure. */
const edges = [
  'clock.ts',
  'random.ts',
  'load-package.ts',
  'http/',
  'functions/',
  'host/',
  'testing/',
  'cli/',
  'eventing/logs/',
  'eventing/edges/',
  'serving/data-plane/',
  'simulator/edges/',
  'telemetry/adapters/',
];

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts'))
  .map((file) => file.replaceAll('\\', '/'))
  .sort();
const roomOf = (file: string): string =>
  file.includes('/') ? (file.split('/')[0] ?? '') : file === 'index.ts' ? 'index' : 'kernel';
/** What a file imports, by its syntax tree: texts that look like imports (templates of projects) do not count. */
function readSyntax(file: string): { readonly imports: readonly string[]; readonly exportsAll: boolean } {
  const tree = ts.createSourceFile(file, readFileSync(join(source, file), 'utf8'), ts.ScriptTarget.Latest, false);
  const imports: string[] = [];
  let exportsAll = false;
  const visit = (node: ts.Node): void => {
    if (
      (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
      node.moduleSpecifier !== undefined &&
      ts.isStringLiteral(node.moduleSpecifier)
    ) {
      imports.push(node.moduleSpecifier.text);
    }
    if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined && node.exportClause === undefined) exportsAll = true;
    if (ts.isExportAssignment(node)) exportsAll = true;
    if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      const [argument] = node.arguments;
      if (argument !== undefined && ts.isStringLiteral(argument)) imports.push(argument.text);
    }
    ts.forEachChild(node, visit);
  };
  visit(tree);
  return { imports, exportsAll };
}
const syntax = new Map(files.map((file) => [file, readSyntax(file)]));
const importsOf = (file: string): readonly string[] => syntax.get(file)?.imports ?? [];

describe('import directions', () => {
  test('every relative import goes where the architecture allows, with its extension, to a file that exists', () => {
    const offences: string[] = [];
    for (const file of files) {
      const from = roomOf(file);
      for (const specifier of importsOf(file).filter((name) => name.startsWith('.'))) {
        const target = relative(source, resolve(dirname(join(source, file)), specifier)).replaceAll('\\', '/');
        if (!existsSync(join(source, target))) offences.push(`${file} imports ${specifier}, which does not exist`);
        const to = roomOf(target);
        if (from === 'index' || to === from || to === 'kernel') continue;
        if (!(allowed[from] ?? []).includes(to)) offences.push(`${file} (${from}) imports ${target} (${to})`);
      }
    }
    expect(offences).toEqual([]);
  });

  test('pure files import no node built-ins and name none', () => {
    const offences = files
      .filter((file) => !edges.some((edge) => file === edge || (edge.endsWith('/') && file.startsWith(edge))))
      .flatMap((file) => {
        const text = readFileSync(join(source, file), 'utf8');
        return [
          ...importsOf(file).filter((name) => name.startsWith('node:')),
          ...(text.includes('getBuiltinModule(') ? ['getBuiltinModule'] : []),
        ].map((name) => `${file}: ${name}`);
      });
    expect(offences).toEqual([]);
  });

  test('no room re-exports everything of a file, nothing has a default export', () => {
    const offences = files.filter((file) => syntax.get(file)?.exportsAll);
    expect(offences).toEqual([]);
  });
});
