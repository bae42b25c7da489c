import { createHash } from 'node:crypto';
import { parseImageReference } from '../api/image-reference.ts';
import type { FactRegistry } from '../controller/facts.ts';
import type { ImageDigest, ImageDigestParams } from '../serving/index.ts';
import { unmappedMessage, type ImageMap } from './runtimes/image-map.ts';

export interface ImageDigests {
  /** The image as its Service wrote it, which is what the image map and container engines know. */
  imageOf(image: string): string;
}

/**
 * Answers what an image stands for. No registry is asked, since the map decides what runs: the digest is one of the reference, and
 * has the form that clients look for. For images without a program the answer is an error that says how to map them, so that the
 * Revision tells at once instead of waiting for a Pod that can never start.
 */
export function provideImageDigests(facts: FactRegistry, images: ImageMap): ImageDigests {
  const written = new Map<string, string>();
  const digestOf = (image: string, skipped: readonly string[]): string => {
    const reference = parseImageReference(image);
    if (reference === undefined || skipped.includes(reference.registry)) return '';
    if (reference.digest !== undefined) return image;
    const slash = image.lastIndexOf('/');
    const colon = image.indexOf(':', slash + 1);
    const repository = colon < 0 ? image : image.slice(0, colon);
    const digest = `${repository}@sha256:${createHash('sha256').update(image).digest('hex')}`;
    written.set(digest, image);
    return digest;
  };
  facts.provide<ImageDigest, ImageDigestParams>('image-digest', () => ({
    read: (image, { registriesSkippingTagResolving }) =>
      images.resolve(image) === undefined
        ? { error: unmappedMessage(image) }
        : { digest: digestOf(image, registriesSkippingTagResolving) },
  }));
  return { imageOf: (image) => written.get(image) ?? image };
}
