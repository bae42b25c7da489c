import { dns1123LabelProblems, dns1123SubdomainProblems } from '../api/names.ts';
import type { ObjectMeta } from '../api/resource.ts';
import { TemplateError } from '../api/go-template.ts';
import type { NameTemplate, NameValues, NetworkConfig } from './config/network.ts';
import { PassFailure } from './pass.ts';
import { domainForLabels, type DomainConfig } from './config/domain.ts';
import { clusterDomain, clusterServiceDomain, labelKeys, visibilityClusterLocal } from './keys.ts';
import type { StringMap } from './metadata.ts';

export type Visibility = 'ExternalIP' | 'ClusterLocal';

/** What names are made of. */
export interface Naming {
  readonly network: NetworkConfig;
  readonly domain: DomainConfig;
}

/** A name that cannot be a domain; ends the pass with upstream's text. */
export class DomainNameError extends PassFailure {}

/** The host name of a route's tag, without a domain: the route's own name for ''. */
export function tagHostname(naming: Naming, name: string, tag: string): string {
  if (tag === '') return name;
  return fromTemplate(naming.network.tagTemplate, { Name: name, Tag: tag }, 'TagTemplate');
}

/** The full domain of a host name of a route. A cluster-local one has the cluster's form, whatever the template says. */
export function domainName(naming: Naming, route: ObjectMeta, hostname: string, visibility: Visibility): string {
  const { namespace = '', annotations = {} } = route;
  let name: string;
  if (visibility === 'ClusterLocal') name = `${hostname}.${namespace}.${clusterServiceDomain}`;
  else {
    const labels = withoutVisibility(route.labels);
    const domain = domainForLabels(naming.domain, labels);
    const values = { Name: hostname, Namespace: namespace, Domain: domain, Annotations: annotations, Labels: labels ?? {} };
    name = fromTemplate(naming.network.domainTemplate, values, 'DomainTemplate');
  }
  const problem = domainProblem(name);
  if (problem !== undefined)
    throw new DomainNameError(`domain name error: invalid domain name ${JSON.stringify(name)}: ${problem}`);
  return name;
}

function fromTemplate(template: NameTemplate, values: NameValues, what: string): string {
  try {
    return template(values);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new DomainNameError(`domain name error: error executing the ${what}: ${error.message}`);
  }
}

/** The visibility that the object's own label asks for. */
export function ownVisibility(metadata: ObjectMeta): Visibility {
  return metadata.labels?.[labelKeys.visibility] === visibilityClusterLocal ? 'ClusterLocal' : 'ExternalIP';
}

function withoutVisibility(labels: StringMap | undefined): StringMap | undefined {
  if (labels?.[labelKeys.visibility] === undefined) return labels;
  const { [labelKeys.visibility]: _visibility, ...rest } = labels;
  return rest;
}

/**
 * True for a lower-case DNS name of at least two labels. By hand, because names are made on a hot path and a regular expression
 * with bounded labels costs several times as much.
 */
function isDomainName(text: string): boolean {
  if (text.length > 253) return false;
  let labelStart = 0;
  let dots = 0;
  for (let index = 0; index <= text.length; index++) {
    const code = index < text.length ? text.charCodeAt(index) : dot;
    if (code === dot) {
      const length = index - labelStart;
      if (length === 0 || length > 63 || text.charCodeAt(labelStart) === dash || text.charCodeAt(index - 1) === dash)
        return false;
      labelStart = index + 1;
      dots++;
    } else if (!((code >= 97 && code <= 122) || (code >= 48 && code <= 57) || code === dash)) return false;
  }
  return dots > 1;
}

const dot = 46;
const dash = 45;

/** What Kubernetes says about a text that is no fully qualified domain name. */
function domainProblem(text: string): string | undefined {
  if (isDomainName(text)) return undefined;
  if (text === '') return 'url: Required value';
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  const invalid = (value: string, details: readonly string[]): string =>
    `url: Invalid value: ${JSON.stringify(value)}: ${details.join(',')}`;
  const problems = dns1123SubdomainProblems(name);
  if (problems.length > 0) return invalid(name, problems);
  const labels = name.split('.');
  if (labels.length < 2) return invalid(name, ['should be a domain with at least two segments separated by dots']);
  const bad = labels.find((label) => dns1123LabelProblems(label).length > 0);
  return bad === undefined ? undefined : invalid(bad, dns1123LabelProblems(bad));
}

/** True for a domain inside of the cluster. */
export function isClusterLocalDomain(domain: string): boolean {
  return domain.endsWith(clusterDomain);
}

const serviceSuffix = `.${clusterServiceDomain}`;

/** A cluster-local name and the shorter forms under which it is reachable, sorted. */
export function clusterLocalForms(name: string): string[] {
  if (name.endsWith(serviceSuffix)) {
    const base = name.slice(0, -serviceSuffix.length);
    // The usual case; each form is a beginning of the next, so they are in order.
    if (isPossibleTopLevel(base.slice(base.lastIndexOf('.') + 1))) return [base, `${base}.svc`, name];
  }
  const forms = new Set<string>();
  for (const suffix of ['', `.${clusterDomain}`, `.${clusterServiceDomain}`]) {
    if (suffix !== '' && !name.endsWith(suffix)) continue;
    const form = suffix === '' ? name : name.slice(0, -suffix.length);
    if (isPossibleTopLevel(form.slice(form.lastIndexOf('.') + 1))) forms.add(form);
  }
  return [...forms].sort();
}

/** A last label of digits alone would look like an address. */
function isPossibleTopLevel(label: string): boolean {
  return label.length <= 63 && /[-:-~]/.test(label);
}
