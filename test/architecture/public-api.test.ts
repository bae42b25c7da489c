import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, test } from 'vitest';

const source = fileURLToPath(new URL('../../src/', import.meta.url));
const manifest = JSON.parse(readFileSync(fileURLToPath(new URL('../../package.json', import.meta.url)), 'utf8')) as {
  exports: Record<string, unknown>;
};

/** The public names of an index file, types marked as such, in alphabetical order. */
function publicNames(file: string): string {
  const tree = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, false);
  const names: string[] = [];
  for (const statement of tree.statements) {
    if (!ts.isExportDeclaration(statement) || statement.exportClause === undefined) continue;
    if (ts.isNamespaceExport(statement.exportClause)) {
      names.push(`namespace ${statement.exportClause.name.text}`);
      continue;
    }
    for (const element of statement.exportClause.elements) {
      names.push(`${statement.isTypeOnly || element.isTypeOnly ? 'type ' : ''}${element.name.text}`);
    }
  }
  return `${names.sort().join('\n')}\n`;
}

const modules = readdirSync(source, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && `./${entry.name}` in manifest.exports)
  .map(({ name }) => name);

describe('the public names', () => {
  // A change of the API shows as a change of these files: `npx vitest run test/architecture -u` writes them anew.
  test.each(modules)('of knative-embed/%s are the listed ones', async (name) => {
    await expect(publicNames(`${source}${name}/index.ts`)).toMatchFileSnapshot(`./public-api/${name}.txt`);
  });

  test('every subpath of package.json is a module folder or a file of one', () => {
    const paths = Object.keys(manifest.exports).filter((path) => path !== '.' && path !== './package.json');
    expect(
      paths.filter((path) => !existsSync(`${source}${path.slice(2)}/index.ts`) && !existsSync(`${source}${path.slice(2)}.ts`)),
    ).toEqual([]);
  });
});
