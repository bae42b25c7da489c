import type { Admission, AdmittedDocument } from '../host/admission/admit.ts';
import type { Position } from '../host/admission/yaml-documents.ts';

/** One thing that is said about a place in a file. */
export interface Finding {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly severity: 'error' | 'warning' | 'info';
  /** Stable name of the rule, such as `validation` or `unknown-field`. */
  readonly rule: string;
  /** `Kind name` of the document. */
  readonly object: string;
  /** Field path in the document; '' for the document itself. */
  readonly path: string;
  readonly message: string;
  readonly suggestion?: string;
}

/** Everything that admission says about a file, in order of place. */
export function findingsOf(file: string, admission: Admission): readonly Finding[] {
  return admission.documents
    .flatMap((document) => ofDocument(file, document))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function ofDocument(file: string, document: AdmittedDocument): readonly Finding[] {
  const object = [document.kind ?? 'document', document.name ?? `number ${document.index + 1}`].join(' ');
  const at = (position: Position | undefined): Pick<Finding, 'file' | 'object' | 'line' | 'column'> => {
    const place = position ?? document.position ?? { line: 1, column: 1 };
    return { file, object, line: place.line, column: place.column };
  };
  return [
    ...document.problems.map(({ position, source, path, message, details = '', suggestion }): Finding => ({
      ...at(position),
      severity: 'error',
      rule: source === 'decode' && message.startsWith('unknown field') ? 'unknown-field' : source,
      path,
      message: details === '' ? message : `${message} (${details})`,
      ...(suggestion === undefined ? {} : { suggestion }),
    })),
    ...document.report.flatMap(({ position, level, path, message, suggestion }): readonly Finding[] =>
      level === 'mapped' || (level === 'error' && document.problems.length > 0)
        ? []
        : [
            {
              ...at(position),
              severity: level === 'unsupported' ? 'warning' : level,
              rule: level === 'unsupported' ? 'unsupported' : `dialect-${level}`,
              path,
              message,
              ...(suggestion === undefined ? {} : { suggestion }),
            },
          ],
    ),
    ...document.warnings.map((message): Finding => ({ ...at(undefined), severity: 'info', rule: 'warning', path: '', message })),
  ];
}

/** `file:line:column: severity: path: message`, as editors and compilers link it. */
export function findingText(finding: Finding): string {
  const path = finding.path === '' ? finding.object : finding.path;
  const suggestion = finding.suggestion === undefined ? '' : `; did you mean ${finding.suggestion}?`;
  return `${finding.file}:${finding.line}:${finding.column}: ${finding.severity}: ${path}: ${finding.message}${suggestion}`;
}

const sarifLevels = { error: 'error', warning: 'warning', info: 'note' } as const;

/** The findings as SARIF 2.1.0, which code hosts show beside the lines of a change. */
export function sarifLog(findings: readonly Finding[]): object {
  const rules = [...new Set(findings.map(({ rule }) => rule))].sort().map((id) => ({ id }));
  return {
    $schema: 'https://json.schemastore.org/sarif-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: { name: 'knative-embed', informationUri: 'https://www.npmjs.com/package/knative-embed', rules },
        },
        results: findings.map((finding) => ({
          ruleId: finding.rule,
          level: sarifLevels[finding.severity],
          message: { text: findingText(finding).replace(/^.*?: (error|warning|info): /, '') },
          locations: [
            {
              physicalLocation: {
                artifactLocation: { uri: finding.file },
                region: { startLine: finding.line, startColumn: finding.column },
              },
              logicalLocations: [{ fullyQualifiedName: finding.path === '' ? finding.object : finding.path }],
            },
          ],
        })),
      },
    ],
  };
}
