import type { AdmissionContext, Kind } from '../../api/kind.ts';
import type { Resource } from '../../api/resource.ts';
import { dialectByName, dialectOf } from '../dialects/dialects.ts';
import {
  info,
  unsupported,
  type Dialect,
  type DialectName,
  type ReportLine,
  type Translation,
  type Verdict,
} from '../dialects/dialect.ts';
import { effectiveSettings } from '../dialects/effective.ts';
import { asObject, objectAt, textAt, withChanges, type JsonObject } from '../dialects/json-path.ts';
import { reportPlain } from '../dialects/plain-report.ts';
import { admitObject, type ObjectAdmission } from './admit-object.ts';
import { ConfigLayers, dialectAnnotation } from './config-layers.ts';
import { isKubernetesKind, kindLookup, knownKinds, nearestKind } from './known-kinds.ts';
import type { AdmissionProblem } from './problem.ts';
import { readDocuments, type Position, type SourceDocument } from './yaml-documents.ts';

export interface AdmitOptions {
  /** The platform whose manifests these are; `knative` reads nothing special. Default: recognised from what is in the file. */
  readonly dialect?: DialectName | 'knative';
  /** Kinds that can be stored. Default: all that the package knows. */
  readonly kinds?: readonly Kind[];
  /** Namespace of objects that name none; '' leaves it open. Default: `default`. */
  readonly namespace?: string;
  /** Who applies; becomes `serving.knative.dev/creator` and `lastModifier`. */
  readonly user?: string;
  /** The stored object, which makes the admission an update. */
  readonly stored?: (kind: Kind, namespace: string | undefined, name: string) => Resource | undefined;
  /** An update keeps the labels and annotations that the document does not mention, as `kubectl apply` does. Default false: it replaces them. */
  readonly merge?: boolean;
  /** Data of the host's config maps by name. Config maps of the file count for the documents after them. */
  readonly config?: NonNullable<AdmissionContext['config']>;
  /** What to do about fields that a schema does not have. Default `refuse`. */
  readonly unknownFields?: 'refuse' | 'warn';
}

/** A problem with its place in the file, when the input was text. */
export type PlacedProblem = AdmissionProblem & { readonly position?: Position };

/** An object that may be stored. */
export interface AdmittedObject {
  readonly kind: Kind;
  readonly resource: Resource;
}

/** What became of one document. */
export interface AdmittedDocument {
  /** Position among the documents of the file that are not empty, from 0. */
  readonly index: number;
  readonly apiVersion: string | undefined;
  readonly kind: string | undefined;
  readonly name: string | undefined;
  readonly dialect: DialectName | 'knative';
  readonly verdict: Verdict;
  /** Decoded and defaulted; empty unless the verdict is `accept` or `translate`. */
  readonly objects: readonly AdmittedObject[];
  readonly problems: readonly PlacedProblem[];
  /** What Knative's validation says, in upstream's words; '' when it finds nothing. */
  readonly error: string;
  readonly warnings: readonly string[];
  /** What is said about single fields, by path. */
  readonly report: readonly (ReportLine & { readonly position?: Position })[];
  /** The settings that the host ends up with; `null` when nothing runs. */
  readonly effective: JsonObject | null;
  readonly position?: Position;
}

export interface Admission {
  readonly documents: readonly AdmittedDocument[];
  /** False when any document is refused: then nothing of the file should be applied. */
  readonly allowed: boolean;
}

/**
 * Admits manifests: parse, dialect, strict decoding, defaults, validation. `input` is YAML or JSON text of any number of documents, one
 * object, or several. Nothing is stored; the result says what would be.
 */
export async function admit(input: string | object | readonly object[], options: AdmitOptions = {}): Promise<Admission> {
  const sources = typeof input === 'string' ? await readDocuments(input) : fromObjects(Array.isArray(input) ? input : [input]);
  return admitSources(sources.flatMap(listItems), options);
}

function fromObjects(objects: readonly unknown[]): readonly SourceDocument[] {
  return objects.map((value, index) => ({ index, value, notes: [], locate: () => ({ line: 0, column: 0 }) }));
}

/** `kind: List` stands for its items, as for kubectl. */
function listItems(source: SourceDocument): readonly SourceDocument[] {
  const object = asObject(source.value);
  if (object?.['kind'] !== 'List' || object['apiVersion'] !== 'v1' || !Array.isArray(object['items'])) return [source];
  return object['items'].map((value: unknown, at) => ({
    ...source,
    value,
    locate: (path) => source.locate(path === '' ? `items[${at}]` : `items[${at}].${path}`),
  }));
}

function admitSources(sources: readonly SourceDocument[], options: AdmitOptions): Admission {
  const objects = sources.map(({ value }) => asObject(value)).filter((object) => object !== undefined);
  const fileDialect = options.dialect === undefined ? dialectOf(objects) : dialectByName(options.dialect);
  const file: FileContext = {
    options,
    objects,
    dialect: fileDialect,
    layers: new ConfigLayers(options.config),
    find: kindLookup(options.kinds ?? knownKinds),
  };
  const documents = sources.map((source) => placed(source, admitDocument(source, file)));
  return { documents, allowed: documents.every(({ verdict }) => verdict !== 'reject') };
}

interface FileContext {
  readonly options: AdmitOptions;
  readonly objects: readonly JsonObject[];
  readonly dialect: Dialect | undefined;
  readonly layers: ConfigLayers;
  readonly find: (apiVersion: string, kind: string) => Kind | undefined;
}

type Unplaced = Omit<AdmittedDocument, 'position' | 'problems' | 'report'> & {
  readonly problems: readonly AdmissionProblem[];
  readonly report: readonly ReportLine[];
};

function admitDocument(source: SourceDocument, file: FileContext): Unplaced {
  const document = asObject(source.value);
  const base = {
    index: source.index,
    apiVersion: textAt(document, 'apiVersion'),
    kind: textAt(document, 'kind'),
    name: textAt(document, 'metadata', 'name'),
    dialect: file.dialect?.name ?? ('knative' as const),
    error: '',
    warnings: source.notes,
  };
  const nothing = { objects: [], problems: [], report: [], effective: null };
  if (source.error !== undefined) {
    const problems: readonly AdmissionProblem[] = [{ source: 'yaml', path: '', message: source.error.message }];
    return { ...base, ...nothing, verdict: 'reject', problems };
  }
  if (document === undefined) {
    return { ...base, ...nothing, verdict: 'report', report: [unsupported('', 'not an object of Kubernetes: left out')] };
  }
  const dialect = file.dialect ?? storedDialect(document);
  const translation = dialect?.translate(document, { documents: file.objects }) ?? plainTranslation(document, file);
  const admitted = translation.objects.map((object) => admitTranslated(object, dialect, file));
  return { ...base, ...combine(translation, admitted, file), dialect: dialect?.name ?? base.dialect };
}

/** An object that was stored under a dialect says so, and is admitted under it again. */
function storedDialect(document: JsonObject): Dialect | undefined {
  const name = textAt(document, 'metadata', 'annotations', dialectAnnotation);
  return name === undefined ? undefined : dialectByName(name);
}

function plainTranslation(document: JsonObject, file: FileContext): Translation {
  const apiVersion = textAt(document, 'apiVersion') ?? '';
  const kind = textAt(document, 'kind') ?? '';
  if (file.find(apiVersion, kind) !== undefined) return { verdict: 'accept', objects: [document], report: reportPlain(document) };
  if (apiVersion === '' || kind === '') {
    return { verdict: 'report', objects: [], report: [info('', 'not an object of Kubernetes: left out')], effective: null };
  }
  const meant = nearestKind(apiVersion, kind, file.options.kinds ?? knownKinds);
  if (meant !== undefined) {
    const message = `there is no kind ${apiVersion} ${kind}`;
    const line: ReportLine = {
      path: 'kind',
      level: meant.otherVersion ? 'unsupported' : 'error',
      message,
      suggestion: meant.text,
    };
    return { verdict: meant.otherVersion ? 'report' : 'reject', objects: [], report: [line], effective: null };
  }
  if (isKubernetesKind(apiVersion)) {
    return { verdict: 'accept', objects: [], report: [info('kind', `${kind} has no effect here`)], effective: null };
  }
  return {
    verdict: 'report',
    objects: [],
    report: [unsupported('kind', `${apiVersion} ${kind} is not known here: left out, the rest of the file applies`)],
    effective: null,
  };
}

interface TranslatedAdmission extends ObjectAdmission {
  readonly kind: Kind | undefined;
}

function admitTranslated(object: JsonObject, dialect: Dialect | undefined, file: FileContext): TranslatedAdmission {
  const { options, layers } = file;
  const kind = file.find(textAt(object, 'apiVersion') ?? '', textAt(object, 'kind') ?? '');
  if (kind === undefined) {
    const problem: AdmissionProblem = { source: 'dialect', path: 'kind', message: 'this kind cannot be stored here' };
    return { kind, allowed: false, resource: undefined, problems: [problem], error: '', warnings: [] };
  }
  const written = withNamespace(withDialect(object, dialect), kind, options.namespace ?? 'default');
  const name = textAt(written, 'metadata', 'name') ?? '';
  const old = options.stored?.(kind, textAt(written, 'metadata', 'namespace'), name);
  const prepared = old === undefined || options.merge !== true ? written : withMetadataOf(written, old);
  const admission = admitObject(kind, prepared, {
    operation: old === undefined ? 'create' : 'update',
    ...(old === undefined ? {} : { old }),
    ...(options.user === undefined ? {} : { user: options.user }),
    config: layers.under(dialect?.config),
    unknownFields: options.unknownFields ?? 'refuse',
  });
  if (admission.allowed && admission.resource !== undefined) layers.learn(admission.resource);
  return { ...admission, kind };
}

function withMetadataOf(object: JsonObject, { metadata }: Resource): JsonObject {
  const own = objectAt(object, 'metadata') ?? {};
  const merged = { ...own };
  for (const field of ['labels', 'annotations'] as const) {
    if (metadata[field] !== undefined) merged[field] = { ...metadata[field], ...objectAt(own, field) };
  }
  return { ...object, metadata: merged };
}

function withNamespace(object: JsonObject, kind: Kind, namespace: string): JsonObject {
  const metadata = objectAt(object, 'metadata') ?? {};
  if (namespace === '' || !kind.namespaced || (typeof metadata['namespace'] === 'string' && metadata['namespace'] !== ''))
    return object;
  return { ...object, metadata: { ...metadata, namespace } };
}

/** Marks the object and its template, so that children and later updates are admitted under the same settings. */
function withDialect(object: JsonObject, dialect: Dialect | undefined): JsonObject {
  if (dialect?.config === undefined || !String(object['apiVersion']).startsWith('serving.knative.dev/')) return object;
  const mark = { [dialectAnnotation]: dialect.name };
  const marked = withChanges(object, ['metadata', 'annotations'], mark);
  if (objectAt(object, 'spec', 'template') === undefined) return marked;
  return withChanges(marked, ['spec', 'template', 'metadata', 'annotations'], mark);
}

function combine(
  translation: Translation,
  admitted: readonly TranslatedAdmission[],
  file: FileContext,
): Pick<Unplaced, 'verdict' | 'objects' | 'problems' | 'error' | 'warnings' | 'report' | 'effective'> {
  const refused = translation.verdict === 'reject' || admitted.some(({ allowed }) => !allowed);
  const resources = admitted.flatMap(({ kind, resource }) =>
    kind === undefined || resource === undefined ? [] : [{ kind, resource }],
  );
  const effective =
    refused || translation.effective === null ? null : effectiveSettings(resources, translation, file.layers.config);
  return {
    verdict: refused ? 'reject' : translation.verdict,
    objects: refused ? [] : resources,
    problems: translation.verdict === 'reject' ? refusals(translation) : admitted.flatMap(({ problems }) => problems),
    error: admitted
      .map(({ error }) => error)
      .filter((error) => error !== '')
      .join('\n'),
    warnings: admitted.flatMap(({ warnings }) => warnings),
    report: translation.report,
    effective,
  };
}

/** Why a translation itself is refused. */
function refusals(translation: Translation): readonly AdmissionProblem[] {
  return translation.report
    .filter(({ level }) => level === 'error')
    .map(({ path, message, suggestion }) => ({
      source: 'dialect',
      path,
      message,
      ...(suggestion === undefined ? {} : { suggestion }),
    }));
}

function placed(source: SourceDocument, document: Unplaced): AdmittedDocument {
  const position = source.error?.position ?? source.locate('');
  if (position.line === 0) return document;
  const place = <T extends { readonly path: string }>(item: T): T & { readonly position: Position } => ({
    ...item,
    position: item.path === '' ? position : source.locate(item.path),
  });
  return { ...document, position, problems: document.problems.map(place), report: document.report.map(place) };
}
