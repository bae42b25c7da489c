import { canonicalText, describe, object, string, type TypeOf } from '../schema.ts';
import { formatGoUrl, parseGoUrl } from './go-url.ts';

/** A URI reference, kept as Go prints it; one that does not parse is refused like a value of the wrong type. */
export const uriReference = canonicalText('uri-reference', 'a URI', (text) => {
  const url = parseGoUrl(text);
  return typeof url === 'string' ? undefined : formatGoUrl(url);
});

/** A reference to an object (`duckv1.KReference`). Kind and name may be missing until validation says so. */
export const kReference = object({
  kind: string,
  namespace: string,
  name: string,
  apiVersion: string,
  group: describe(string, 'Group alone, the version is looked up; only with the feature kreference-group.'),
  address: describe(string, "Name of one of the object's status.addresses; default: the first."),
});
export type KReference = TypeOf<typeof kReference>;

/** Where to send (`duckv1.Destination`): an addressable object, an absolute URI, or an object and a URI relative to its address. */
export const destination = object({
  ref: kReference,
  uri: uriReference,
  CACerts: describe(string, 'PEM bundle to verify the destination with; wins over what the object offers.'),
  audience: describe(string, 'OIDC audience of the destination; wins over what the object offers.'),
});
export type Destination = TypeOf<typeof destination>;
