import { KnativeError } from '../errors.ts';
import type { AdmissionProblem } from './admission/problem.ts';

/** API_INVALID for a refused object: upstream's text where its validation has one, the first problem's path and suggestion. */
export function problemsError(problems: readonly AdmissionProblem[], upstreamText = ''): KnativeError {
  const [first] = problems;
  const others = problems.filter(({ source }) => source !== 'validation').map(describeProblem);
  const text = [...others, ...(upstreamText === '' ? [] : [upstreamText])].join('\n');
  return new KnativeError('API_INVALID', text === '' ? 'the object is refused' : text, {
    status: 400,
    ...(first === undefined || first.path === '' ? {} : { path: first.path }),
    ...(first?.suggestion === undefined ? {} : { hint: `did you mean ${JSON.stringify(first.suggestion)}?` }),
  });
}

function describeProblem({ path, message, details }: AdmissionProblem): string {
  const where = path === '' || message.includes(path) ? '' : `: ${path}`;
  return `${message}${where}${details === undefined || details === '' ? '' : `\n${details}`}`;
}
