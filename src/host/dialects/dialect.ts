import type { JsonObject } from './json-path.ts';

/** A platform whose manifests are read with its own meanings. */
export type DialectName =
  'cloud-run' | 'cloud-run-anthos' | 'code-engine' | 'openshift' | 'riff' | 'triggermesh' | 'gardener' | 'build';

/**
 * What is said about one field. `mapped`: it has a meaning here. `info`: kept, no effect. `unsupported`: it would have changed
 * behaviour on the real product, and does not here. `error`: refused.
 */
export interface ReportLine {
  /** Field path in the document as it was written, such as `metadata.annotations['run.googleapis.com/ingress']`. */
  readonly path: string;
  readonly level: 'mapped' | 'info' | 'unsupported' | 'error';
  /** The meaning, or why there is none. */
  readonly message: string;
  readonly value?: unknown;
  /** What was meant most likely. */
  readonly suggestion?: string;
}

/**
 * What becomes of a document. `accept`: applied as what it says it is. `translate`: becomes something else. `report`: not applied,
 * the rest of the file is. `reject`: wrong, so nothing of the file is applied.
 */
export type Verdict = 'accept' | 'translate' | 'report' | 'reject';

/** A document in plain Knative. */
export interface Translation {
  readonly verdict: Verdict;
  /** What is admitted in its place; empty when nothing can be applied here yet. */
  readonly objects: readonly JsonObject[];
  readonly report: readonly ReportLine[];
  /** Settings that the objects do not show, such as the order in which containers start. `null`: nothing will run. */
  readonly effective?: JsonObject | null;
}

/** What a translation may look at besides its document. */
export interface DialectContext {
  /** All documents of the file, in order. */
  readonly documents: readonly JsonObject[];
}

export interface Dialect {
  readonly name: DialectName;
  /** True for a document that only this product can have written. */
  recognizes(document: JsonObject): boolean;
  /** The document in plain Knative; `undefined` when it is plain already. */
  translate(document: JsonObject, context: DialectContext): Translation | undefined;
  /** Settings under which the product's objects are admitted, by config map; they lie over those of the host. */
  readonly config?: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

export const mapped = (path: string, message: string, value?: unknown): ReportLine => line('mapped', path, message, value);
export const info = (path: string, message: string, value?: unknown): ReportLine => line('info', path, message, value);
export const unsupported = (path: string, message: string, value?: unknown): ReportLine =>
  line('unsupported', path, message, value);

function line(level: ReportLine['level'], path: string, message: string, value: unknown): ReportLine {
  return value === undefined ? { path, level, message } : { path, level, message, value };
}
