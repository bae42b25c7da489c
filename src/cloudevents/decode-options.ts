import { limits } from '../limits.ts';

/** How events are judged while they are decoded. */
export interface DecodeOptions {
  /**
   * `specification` (default): CloudEvents 1.0 to the letter. `upstream`: accepts what Knative's ingress, channel and filter accept
   * (0.3 events, empty optional attributes, blanks in a source, upper-case names) and refuses what they refuse; what they rewrite
   * (time in UTC, escapes in URIs) is rewritten the same way. Header values are percent-decoded in both.
   */
  readonly as?: 'specification' | 'upstream';
  /**
   * Only with `as: 'upstream'`: false leaves out the validation of the decoded event (required attributes, absolute dataschema,
   * media type), as upstream's filter does; missing ones are ''. Default true.
   */
  readonly requireAttributes?: boolean;
  /** Largest body of a binary event and largest structured or batched message, bytes. Default `limits.bodyBytesMax`. */
  readonly bodyBytesMax?: number;
}

export const defaultBodyBytesMax: number = limits.bodyBytesMax;

/** Deepest nesting of JSON that is taken in structured and batched mode: what can be read must be writable again. */
export const jsonDepthMax = 1_000;

/** Most extensions that one event can have: they are looked up one after the other. */
export const extensionsMax = 256;
