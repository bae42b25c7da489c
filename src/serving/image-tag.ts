import { parseImageReference } from '../api/image-reference.ts';

const tagCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789_-.ABCDEFGHIJKLMNOPQRSTUVWXYZ';
const repositoryCharacters = 'abcdefghijklmnopqrstuvwxyz0123456789_-./';

/** An image name that has a tag (`latest` without one), a digest already, or what is wrong with it in go-containerregistry's words. */
export function parseTag(
  image: string,
):
  | { readonly registry: string; readonly repository: string; readonly tag: string }
  | { readonly digest: string }
  | { readonly error: string } {
  const reference = parseImageReference(image);
  if (reference?.digest !== undefined) return { digest: reference.digest };
  if (reference?.tag !== undefined) return { registry: reference.registry, repository: reference.repository, tag: reference.tag };
  return { error: problemOf(image) };
}

function problemOf(image: string): string {
  const colon = image.lastIndexOf(':');
  const hasTag = colon >= 0 && image.indexOf('/', colon) < 0;
  const tag = hasTag ? image.slice(colon + 1) : '';
  const base = hasTag ? image.slice(0, colon) : image;
  if (tag !== '') {
    const problem = elementProblem('tag', tag, tagCharacters, 1, 128);
    if (problem !== undefined) return problem;
  }
  if (base === '') return 'a repository name must be specified';
  const slash = base.indexOf('/');
  const first = slash < 0 ? '' : base.slice(0, slash);
  const hasRegistry = first.includes('.') || first.includes(':');
  const repository = hasRegistry ? base.slice(slash + 1) : base;
  return (
    elementProblem('repository', repository, repositoryCharacters, 2, 255) ??
    `registries must be valid RFC 3986 URI authorities: ${first}`
  );
}

function elementProblem(name: string, element: string, characters: string, min: number, max: number): string | undefined {
  if (element.length < min || element.length > max) {
    return `${name} must be between ${min} and ${max} characters in length: ${element}`;
  }
  if ([...element].some((character) => !characters.includes(character))) {
    return `${name} can only contain the characters \`${characters}\`: ${element}`;
  }
  return undefined;
}
