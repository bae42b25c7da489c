import type { Dialect, DialectName } from './dialect.ts';
import { build } from './build.ts';
import { cloudRunAnthos } from './cloud-run-anthos.ts';
import { cloudRun } from './cloud-run.ts';
import { codeEngine } from './code-engine.ts';
import { gardener } from './gardener.ts';
import type { JsonObject } from './json-path.ts';
import { openshift } from './openshift.ts';
import { riff } from './riff.ts';
import { triggermesh } from './triggermesh.ts';

/** All dialects; the first that recognises a document of a file reads the file. */
export const dialects: readonly Dialect[] = [cloudRunAnthos, cloudRun, codeEngine, openshift, riff, triggermesh, gardener, build];

/** The dialect of a name; `undefined` for `knative` and for names that there are not. */
export function dialectByName(name: DialectName | (string & {})): Dialect | undefined {
  return dialects.find((dialect) => dialect.name === name);
}

/** The dialect of a file: the first one that recognises any of its documents. */
export function dialectOf(documents: readonly JsonObject[]): Dialect | undefined {
  return dialects.find((dialect) => documents.some((document) => dialect.recognizes(document)));
}
