import type { Kind } from '../../api/kind.ts';
import {
  dns1035LabelProblems,
  dns1123LabelProblems,
  dns1123SubdomainProblems,
  labelValueProblems,
  qualifiedNameProblems,
} from '../../api/names.ts';
import type { ObjectMeta } from '../../api/resource.ts';
import type { AdmissionProblem } from './problem.ts';

const annotationBytesMax = 256 * 1024;

/**
 * What the API server checks before Knative sees an object: name, namespace, label and annotation keys and values. `name` may be
 * missing when `generateName` is there.
 */
export function objectRuleProblems(kind: Kind, metadata: ObjectMeta): readonly AdmissionProblem[] {
  const problems: AdmissionProblem[] = [];
  const invalid = (path: string, value: string, reasons: readonly string[]): void => {
    for (const reason of reasons) {
      problems.push({ source: 'name', path, message: `Invalid value: ${JSON.stringify(value)}: ${reason}` });
    }
  };
  const { name, generateName = '', namespace = '' } = metadata;
  if (name !== '') invalid('metadata.name', name, nameProblems(kind, name));
  else if (generateName === '') {
    problems.push({ source: 'name', path: 'metadata.name', message: 'Required value: name or generateName is required' });
  }
  if (namespace !== '') {
    if (kind.namespaced) invalid('metadata.namespace', namespace, dns1123LabelProblems(namespace));
    else problems.push({ source: 'name', path: 'metadata.namespace', message: `${kind.kind} has no namespace` });
  }
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    invalid('metadata.labels', key, qualifiedNameProblems(key));
    invalid(`metadata.labels['${key}']`, value, labelValueProblems(value));
  }
  let annotationBytes = 0;
  for (const [key, value] of Object.entries(metadata.annotations ?? {})) {
    invalid('metadata.annotations', key, qualifiedNameProblems(key.toLowerCase()));
    annotationBytes += key.length + value.length;
  }
  if (annotationBytes > annotationBytesMax) {
    problems.push({
      source: 'name',
      path: 'metadata.annotations',
      message: `Too long: may not be more than ${annotationBytesMax} bytes`,
    });
  }
  return problems;
}

function nameProblems(kind: Kind, name: string): readonly string[] {
  if (kind.group === '' && kind.kind === 'Service') return dns1035LabelProblems(name);
  if (kind.group === '' && kind.kind === 'Namespace') return dns1123LabelProblems(name);
  return dns1123SubdomainProblems(name);
}
