import type { FactRegistry } from '../controller/facts.ts';
import type { ImageDigest, ImageDigestParams } from '../serving/index.ts';
import { unmappedMessage, type ImageMap } from './runtimes/image-map.ts';

/**
 * Answers what an image stands for: the tag itself for images with a program, since the map decides what runs; for the others an
 * error that says how to map them, so that the Revision tells at once instead of waiting for a Pod that can never start.
 */
export function provideImageDigests(facts: FactRegistry, images: ImageMap): void {
  facts.provide<ImageDigest, ImageDigestParams>('image-digest', () => ({
    read: (image) => (images.resolve(image) === undefined ? { error: unmappedMessage(image) } : { digest: '' }),
  }));
}
