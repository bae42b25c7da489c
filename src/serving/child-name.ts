import { md5Hex } from './hash/md5.ts';

const lengthMax = 63;
/** What is left of a name beside a hash. */
const headMax = lengthMax - 32;

/**
 * The name of a child object: `parent + suffix`, shortened to 63 characters when needed. A cut parent is followed by the MD5 of
 * the whole parent, so the same parent always gives the same child. Source: knative.dev/pkg kmeta.ChildName.
 */
export function childName(parent: string, suffix: string): string {
  if (parent.length <= lengthMax - suffix.length) return parent + suffix;
  const kept = headMax - suffix.length;
  if (kept > 0) return parent.slice(0, kept) + md5Hex(parent) + suffix;
  // The suffix itself is too long: it takes part in the hash and only fills what room is left.
  const hashed = parent.slice(0, headMax) + md5Hex(parent + suffix);
  return (hashed + suffix.slice(0, Math.max(0, lengthMax - hashed.length))).replace(/[^a-zA-Z0-9]+$/, '');
}
