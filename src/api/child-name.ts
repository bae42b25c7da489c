import { md5Hex } from './md5.ts';

const longest = 63;
const head = longest - 32;

/**
 * Name of a child object: parent and suffix, shortened to the 63 characters of a DNS label with an MD5 sum in place of what is cut
 * off (`kmeta.ChildName` of knative.dev/pkg). Lengths count UTF-16 units; names are ASCII.
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length <= longest - suffix.length) return parent + suffix;
  if (suffix.length < head) return parent.slice(0, head - suffix.length) + md5Hex(parent) + suffix;
  const hashed = parent.slice(0, head) + md5Hex(parent + suffix);
  return (hashed + suffix.slice(0, longest - hashed.length)).replace(/[^a-zA-Z0-9]+$/, '');
}
