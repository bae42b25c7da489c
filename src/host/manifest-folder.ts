import { KnativeError, messageOf } from '../errors.ts';

/** One object of a manifest file, as the folder sees it before it is applied. */
export interface FolderDocument {
  /** File name within the folder. */
  readonly file: string;
  /** Where a field path of the document is in the file, from 1; '' is the document itself. */
  readonly locate: (path: string) => { readonly line: number; readonly column: number };
  /** `kind namespace/name`: documents with the same identity change the same object. */
  readonly identity: string;
  readonly content: unknown;
  /** What is compared to see whether the document has changed; formatting does not count. */
  readonly fingerprint: string;
}

/** A problem with one file or document, ready to print. */
export interface FolderProblem {
  readonly file: string;
  readonly message: string;
}

export interface FolderChange {
  readonly applied: readonly FolderDocument[];
  /** Objects that no document describes any more. */
  readonly removed: readonly FolderDocument[];
  readonly problems: readonly FolderProblem[];
}

export interface ManifestFolderOptions {
  /** The manifest files and their text, in the order in which they are applied. */
  readonly read: () => Promise<readonly { readonly file: string; readonly text: string }[]>;
  /** Splits a file; throws or returns problems for what cannot be read, the other documents still count. */
  readonly parse: (
    file: string,
    text: string,
  ) => Promise<{ documents: readonly FolderDocument[]; problems: readonly FolderProblem[] }>;
  readonly apply: (document: FolderDocument) => Promise<void>;
  readonly remove: (document: FolderDocument) => Promise<void>;
  /** Resolves when the effect of an applied document can be built upon: for a Service, once its revision exists. */
  readonly settled: (document: FolderDocument) => Promise<void>;
}

/**
 * Keeps a host equal to a folder of manifests. Documents apply in order; a later document for the same object waits until the
 * earlier one has taken effect. Unchanged documents are not applied again, except after a changed one for the same object, since
 * the last document is the one that must hold in the end.
 */
export class ManifestFolder {
  readonly #options: ManifestFolderOptions;
  #applied: readonly FolderDocument[] = [];
  #running: Promise<unknown> = Promise.resolve();

  constructor(options: ManifestFolderOptions) {
    this.#options = options;
  }

  /** Reads the folder and applies what has changed. Calls made meanwhile wait for their turn. */
  sync(): Promise<FolderChange> {
    const next = this.#running.then(() => this.#sync());
    this.#running = next.catch(() => undefined);
    return next;
  }

  async #sync(): Promise<FolderChange> {
    const problems: FolderProblem[] = [];
    const documents = await this.#documents(problems);
    const before = fingerprints(this.#applied);
    const occurrences = new Map<string, number>();
    const changedObjects = new Set<string>();
    const lastOf = new Map<string, FolderDocument>();
    const done: FolderDocument[] = [];
    const applied: FolderDocument[] = [];
    for (const document of documents) {
      const occurrence = occurrences.get(document.identity) ?? 0;
      occurrences.set(document.identity, occurrence + 1);
      const unchanged = before.get(document.identity)?.[occurrence] === document.fingerprint;
      if (unchanged && !changedObjects.has(document.identity)) {
        done.push(document);
        lastOf.set(document.identity, document);
        continue;
      }
      const earlier = lastOf.get(document.identity);
      try {
        if (earlier !== undefined) await this.#options.settled(earlier);
        await this.#options.apply(document);
        applied.push(document);
        done.push(document);
        lastOf.set(document.identity, document);
        changedObjects.add(document.identity);
      } catch (error) {
        problems.push({ file: document.file, message: placedMessage(document, error) });
        // A document that fails keeps what there was: it must not look removed.
        const kept = this.#applied.find(({ identity }) => identity === document.identity);
        if (kept !== undefined && !done.includes(kept)) done.push({ ...kept, fingerprint: 'failed' });
      }
    }
    const removed = await this.#removeMissing(done, problems);
    this.#applied = done;
    return { applied, removed, problems };
  }

  async #documents(problems: FolderProblem[]): Promise<FolderDocument[]> {
    const documents: FolderDocument[] = [];
    for (const { file, text } of await this.#options.read()) {
      try {
        const parsed = await this.#options.parse(file, text);
        documents.push(...parsed.documents);
        problems.push(...parsed.problems);
        // A file that cannot be read fully keeps the objects that it described before.
        if (parsed.problems.length > 0) documents.push(...this.#keptOf(file, parsed.documents));
      } catch (error) {
        problems.push({ file, message: `${file}: ${messageWithHint(error)}` });
        documents.push(...this.#keptOf(file, []));
      }
    }
    return documents;
  }

  #keptOf(file: string, present: readonly FolderDocument[]): readonly FolderDocument[] {
    return this.#applied.filter(
      (document) => document.file === file && !present.some(({ identity }) => identity === document.identity),
    );
  }

  async #removeMissing(done: readonly FolderDocument[], problems: FolderProblem[]): Promise<FolderDocument[]> {
    const present = new Set(done.map(({ identity }) => identity));
    const removed: FolderDocument[] = [];
    for (const document of this.#applied) {
      if (present.has(document.identity) || removed.some(({ identity }) => identity === document.identity)) continue;
      try {
        await this.#options.remove(document);
        removed.push(document);
      } catch (error) {
        problems.push({
          file: document.file,
          message: `${document.file}: ${document.identity} could not be removed: ${messageOf(error)}`,
        });
      }
    }
    return removed;
  }
}

/** Fingerprints of the documents of each object, in order: moving a document within the folder does not change it. */
function fingerprints(documents: readonly FolderDocument[]): Map<string, string[]> {
  const result = new Map<string, string[]>();
  for (const { identity, fingerprint } of documents) {
    const list = result.get(identity);
    if (list === undefined) result.set(identity, [fingerprint]);
    else list.push(fingerprint);
  }
  return result;
}

function placedMessage(document: FolderDocument, error: unknown): string {
  const { line, column } = document.locate(KnativeError.is(error) ? (error.path ?? '') : '');
  return `${document.file}:${line}:${column}: ${document.identity}: ${messageWithHint(error)}`;
}

function messageWithHint(error: unknown): string {
  const hint = KnativeError.is(error) && error.hint !== undefined ? ` (${error.hint})` : '';
  return messageOf(error) + hint;
}
