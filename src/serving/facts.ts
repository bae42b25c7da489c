import type { FactRequest } from '../api/reconciler.ts';
import type { LoadBalancerStatus } from '../api/networking/ingress.ts';

/**
 * What an image tag stands for. `digest` is the image by digest (`registry/repository@sha256:…`), '' when the registry is skipped
 * and the tag is used as it is; `error` is the text of the failure, also that of an image for which a host has no program.
 */
export type ImageDigest = { readonly digest: string } | { readonly error: string };

/** What the provider of `image-digest` needs besides the image. */
export interface ImageDigestParams {
  readonly namespace: string;
  readonly serviceAccountName: string;
  /** Names of secrets in the namespace. */
  readonly imagePullSecrets: readonly string[];
  readonly registriesSkippingTagResolving: readonly string[];
  readonly timeoutMs: number;
}

/** The question that the Revision reconciler asks for each image: provider `image-digest`, key the image as written. */
export function imageDigestFact(image: string, params: ImageDigestParams): FactRequest<ImageDigest> {
  return { provider: 'image-digest', key: image, params };
}

/**
 * How far a gateway is with an Ingress. `generation` is the one that it serves; the Ingress becomes ready when that is the current
 * one and every listener answers. `failure` says why the gateway cannot serve it.
 */
export interface IngressReadiness {
  readonly generation: number;
  readonly failure?: { readonly reason: string; readonly message: string };
  /** Where requests from outside arrive. */
  readonly publicLoadBalancer?: LoadBalancerStatus;
  /** Where requests from inside arrive. */
  readonly privateLoadBalancer?: LoadBalancerStatus;
}

/** The question of the local Ingress reconciler: provider `ingress-ready`, key `namespace/name`; the host's gateway answers. */
export function ingressReadyFact(namespace: string, name: string): FactRequest<IngressReadiness> {
  return { provider: 'ingress-ready', key: `${namespace}/${name}` };
}
