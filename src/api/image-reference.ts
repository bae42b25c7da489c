const repositoryPattern = /^[a-z0-9_\-./]{2,255}$/;
const tagPattern = /^[a-zA-Z0-9_\-.]{1,128}$/;
const digestPattern = /^sha256:[a-f0-9]{64}$/;
const defaultRegistry = 'index.docker.io';

/** The parts of an image name. */
export interface ImageReference {
  /** `index.docker.io` when the name has none. */
  readonly registry: string;
  /** With `library/` in front where Docker Hub needs it. */
  readonly repository: string;
  /** `latest` when the name has neither tag nor digest. */
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/**
 * The parts of an image name, by the weak rules of go-containerregistry that upstream admits images with; `undefined` when it is
 * not an image name.
 */
export function parseImageReference(image: string): ImageReference | undefined {
  const tagged = parseTagged(image);
  if (tagged !== undefined) return { ...tagged, tag: tagged.tag ?? 'latest', digest: undefined };
  const [base, digest, ...rest] = image.split('@');
  if (base === undefined || digest === undefined || rest.length > 0 || !digestPattern.test(digest)) return undefined;
  const repository = parseTagged(base) ?? parseRepository(base);
  return repository && { registry: repository.registry, repository: repository.repository, tag: repository.tag, digest };
}

type Repository = Pick<ImageReference, 'registry' | 'repository' | 'tag'>;

function parseTagged(name: string): Repository | undefined {
  const colon = name.lastIndexOf(':');
  // A colon before the last slash belongs to the registry's port.
  if (colon < 0 || name.indexOf('/', colon) >= 0) return parseRepository(name);
  const tag = name.slice(colon + 1);
  if (tag !== '' && !tagPattern.test(tag)) return undefined;
  const repository = parseRepository(name.slice(0, colon));
  return repository && { ...repository, tag: tag === '' ? undefined : tag };
}

function parseRepository(name: string): Repository | undefined {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = first.includes('.') || first.includes(':');
  const path = hasRegistry ? name.slice(slash + 1) : name;
  if (!repositoryPattern.test(path)) return undefined;
  if (hasRegistry && !isAuthority(first)) return undefined;
  const registry = !hasRegistry || first === 'docker.io' ? defaultRegistry : first;
  const implicit = registry === defaultRegistry && !path.includes('/');
  return { registry, repository: implicit ? `library/${path}` : path, tag: undefined };
}

/** A host with an optional port that Go's `url.Parse` gives back unchanged. */
function isAuthority(text: string): boolean {
  return /^(\[[0-9a-fA-F:.]+\]|[a-zA-Z0-9\-._~!$&'()*+,;=]*)(:\d*)?$/.test(text);
}
