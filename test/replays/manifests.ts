import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { admit, type AdmittedDocument } from '../../src/host/admission/admit.ts';
import { installedEventingConfig } from '../../src/api/eventing/installed-config.ts';
import type { DialectName } from '../../src/host/dialects/dialect.ts';
import { differencesOf, type Replay, type ReplayCase } from './replay.ts';
import { withoutZeros } from './serving.validation.ts';

interface ExpectedDocument {
  readonly index: number;
  readonly gvk: string | null;
  readonly name: string | null;
  readonly upstream: { readonly admission: string; readonly error?: string; readonly strictDecodeError?: string };
  readonly nameProblem?: string;
  readonly expect: {
    readonly apply: string;
    readonly report?: readonly { readonly path: string; readonly level: string; readonly value?: unknown }[];
    readonly effective?: Readonly<Record<string, unknown>> | null;
    readonly defaulted?: Readonly<Record<string, unknown>>;
  };
}

interface Expectation {
  readonly manifest: string;
  readonly dialect?: DialectName;
  readonly documents: readonly ExpectedDocument[];
}

/** Settings that only a run shows (output of steps, of functions) or that point into other vectors: they come with running them. */
const shownByRuns = new Set(['stdout', 'results', 'input', 'output', 'vectors']);

/** Cluster defaults of the recording are those of a fresh installation. */
const config = (name: string): Readonly<Record<string, string>> | undefined => installedEventingConfig[name];

/** The manifest asks for the class that is there; its expectation is about the other one. */
const aboutAnotherManifest = new Set(['autoscaling-class-hpa.expect.json']);

/** Every manifest below the folder that has an expectation beside it; a folder of one product works too. */
export const replay: Replay = function* (folder) {
  for (const file of expectationsBelow(folder, '')) yield* casesOf(folder, file);
};

function expectationsBelow(folder: string, under: string): string[] {
  return readdirSync(join(folder, under), { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      if (entry.isDirectory()) return expectationsBelow(folder, path);
      return entry.name.endsWith('.expect.json') ? [path] : [];
    });
}

function* casesOf(folder: string, file: string): Iterable<ReplayCase> {
  const expectation = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Expectation;
  const manifest = join(folder, file.replace('.expect.json', '.yaml'));
  if (!existsSync(manifest)) {
    yield { file, id: '', skip: 'the manifest is not there', expected: null, check: () => [] };
    return;
  }
  let admission: Promise<readonly AdmittedDocument[]> | undefined;
  const documents = (): Promise<readonly AdmittedDocument[]> =>
    (admission ??= admit(readFileSync(manifest, 'utf8'), {
      dialect: expectation.dialect ?? 'knative',
      namespace: 'default',
      config,
    }).then((result) => result.documents));
  for (const document of expectation.documents) {
    const id = `document ${document.index}`;
    const baseName = file.slice(file.lastIndexOf('/') + 1);
    if (aboutAnotherManifest.has(baseName) && !readFileSync(manifest, 'utf8').includes('hpa.autoscaling')) {
      yield {
        file,
        id,
        skip: 'the manifest asks for the KPA, the expectation is about the HPA',
        expected: null,
        check: () => [],
      };
      continue;
    }
    yield { file, id, expected: comparable(document), check: async (expected) => compare(expected, document, await documents()) };
  }
}

interface Comparable {
  readonly gvk: string;
  readonly name: string;
  readonly verdict: string;
  readonly error: string;
  /** `level path` of every line that has to be there, with its value where one is given. */
  readonly report: Readonly<Record<string, unknown>>;
  readonly effective: unknown;
  readonly defaulted: unknown;
}

function comparable(document: ExpectedDocument): Comparable {
  const { report = [], effective, defaulted, apply } = document.expect;
  return {
    gvk: (document.gvk ?? '').replace(/<nil>\/?/g, ''),
    name: document.name ?? '',
    verdict: apply,
    error: measuredError(document),
    report: Object.fromEntries(report.map(({ path, level, value }) => [`${level} ${path}`, value === undefined ? '' : value])),
    effective: effective === null || effective === undefined ? 'nothing' : withoutRuns(effective),
    defaulted: defaulted === undefined ? 'not measured' : withoutZeros(defaulted),
  };
}

/** Under a dialect other rules hold, and text that does not decode is refused in other words. */
function measuredError({ upstream, expect }: ExpectedDocument): string {
  if (upstream.admission !== 'rejected') return '';
  return expect.apply === 'reject' ? (upstream.error ?? '') : '';
}

function withoutRuns(effective: Readonly<Record<string, unknown>>): unknown {
  return Object.fromEntries(Object.entries(effective).filter(([key]) => !shownByRuns.has(key)));
}

function compare(expected: Comparable, document: ExpectedDocument, admitted: readonly AdmittedDocument[]): readonly string[] {
  const found = admitted.find(({ index }) => index === document.index);
  if (found === undefined) return ['the document was not read'];
  const lines = new Map(found.report.map((line) => [`${line.level} ${line.path}`, line]));
  const report = Object.fromEntries(
    Object.entries(expected.report).map(([key, value]) => {
      const line = lines.get(key);
      return [
        key,
        line === undefined
          ? `no such line among ${[...lines.keys()].join('; ')}`
          : value === ''
            ? ''
            : looselyEqual(line.value, value),
      ];
    }),
  );
  const [object] = found.objects;
  const gvk = [found.apiVersion, found.kind].filter((part) => part !== undefined).join('/');
  const actual = {
    gvk,
    name: found.name ?? '',
    verdict: found.verdict,
    error: found.error,
    report,
    effective: expected.effective === 'nothing' ? 'nothing' : subsetOf(expected.effective, found.effective),
    defaulted: expected.defaulted === 'not measured' ? 'not measured' : withoutZeros(defaultedParts(object?.resource)),
  };
  return [...differencesOf(expected, actual), ...unexpected(expected, document, found)];
}

/** Exported values are texts, settings numbers. */
function looselyEqual(actual: unknown, expected: unknown): unknown {
  return String(actual) === String(expected) ? expected : actual;
}

function defaultedParts(resource: object | undefined): unknown {
  const { metadata, spec } = (resource ?? {}) as {
    readonly metadata?: { readonly annotations?: unknown; readonly labels?: unknown };
    readonly spec?: unknown;
  };
  return { annotations: metadata?.annotations, labels: metadata?.labels, spec };
}

/** The part of `actual` that `expected` talks about. */
function subsetOf(expected: unknown, actual: unknown): unknown {
  if (typeof expected !== 'object' || expected === null || typeof actual !== 'object' || actual === null) return actual;
  if (Array.isArray(expected)) {
    return Array.isArray(actual) ? actual.map((item: unknown, index) => subsetOf(expected[index], item)) : actual;
  }
  const source = actual as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.entries(expected).flatMap(([key, item]) => (key in source ? [[key, subsetOf(item, source[key])]] : [])),
  );
}

/** Where the lines of a document are listed, nothing more may be called unsupported or wrong. */
function unexpected(expected: Comparable, document: ExpectedDocument, found: AdmittedDocument): readonly string[] {
  if (document.expect.report === undefined || Object.keys(expected.report).length === 0) return [];
  return found.report
    .filter(({ level }) => level === 'unsupported' || level === 'error')
    .map(({ level, path }) => `${level} ${path}`)
    .filter((key) => !(key in expected.report))
    .map((key) => `not expected: ${key}`);
}
