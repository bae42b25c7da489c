import { coreServices, type CoreService, type ServicePort } from '../../api/core/core-service.ts';
import { endpoints, type Endpoints, type EndpointSubset } from '../../api/core/endpoints.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { serverlessServices, type ServerlessService } from '../../api/networking/serverless-service.ts';
import type { ObjectMeta } from '../../api/resource.ts';
import { childName } from '../../api/child-name.ts';
import { labelKeys } from '../keys.ts';
import { controllerReference, type StringMap } from '../metadata.ts';
import { ports } from './revision-containers.ts';

export function privateServiceName(name: string): string {
  return childName(name, '-private');
}

function isH2c(sks: ServerlessService): boolean {
  return sks.spec.protocolType === 'h2c';
}

function targetPort(sks: ServerlessService): number {
  return isH2c(sks) ? ports.backendHttp2 : ports.backendHttp;
}

function metadata(sks: ServerlessService, name: string, type: 'Public' | 'Private'): ObjectMeta {
  const { namespace, labels, annotations } = sks.metadata;
  return {
    name,
    ...(namespace !== undefined && { namespace }),
    labels: { ...labels, [labelKeys.serverlessService]: sks.metadata.name, [labelKeys.serviceType]: type },
    annotations: { ...annotations },
    ownerReferences: [controllerReference(serverlessServices, sks)],
  };
}

function httpPort(sks: ServerlessService, port: number): ServicePort {
  return {
    name: isH2c(sks) ? 'http2' : 'http',
    protocol: 'TCP',
    ...(isH2c(sks) && { appProtocol: 'kubernetes.io/h2c' }),
    port,
    targetPort: targetPort(sks),
  };
}

const httpsPort: ServicePort = { name: 'https', protocol: 'TCP', port: 443, targetPort: ports.backendHttps };

/** The Service that callers use: its endpoints are the pods, or activators. */
export function makePublicService(sks: ServerlessService): CoreService {
  return {
    apiVersion: apiVersionOf(coreServices),
    kind: coreServices.kind,
    metadata: metadata(sks, sks.metadata.name, 'Public'),
    spec: { ports: [httpPort(sks, isH2c(sks) ? 81 : 80), httpsPort] },
  };
}

/** The Service that selects the pods, for whoever needs them and not an activator. */
export function makePrivateService(sks: ServerlessService, selector: StringMap): CoreService {
  const named = (name: string, port: number): ServicePort => ({ name, protocol: 'TCP', port, targetPort: name });
  return {
    apiVersion: apiVersionOf(coreServices),
    kind: coreServices.kind,
    metadata: metadata(sks, privateServiceName(sks.metadata.name), 'Private'),
    spec: {
      ports: [
        httpPort(sks, 80),
        httpsPort,
        named('http-autometric', ports.autoscalingQueueMetrics),
        named('http-usermetric', ports.userQueueMetrics),
        { name: isH2c(sks) ? 'http2-istio' : 'http-istio', protocol: 'TCP', port: targetPort(sks), targetPort: targetPort(sks) },
      ],
      selector: { ...selector },
    },
  };
}

/** Endpoints of the public Service. */
export function makePublicEndpoints(sks: ServerlessService, source: Endpoints): Endpoints {
  return {
    apiVersion: apiVersionOf(endpoints),
    kind: endpoints.kind,
    metadata: metadata(sks, sks.metadata.name, 'Public'),
    subsets: servingSubsets(sks, source.subsets),
  };
}

/** The subsets with the ports alone that requests arrive at. */
export function servingSubsets(sks: ServerlessService, subsets: readonly EndpointSubset[] | undefined): EndpointSubset[] {
  const port = targetPort(sks);
  return (subsets ?? []).map((subset) => ({
    ...subset,
    ports: (subset.ports ?? []).filter((candidate) => candidate.port === port || candidate.port === ports.backendHttps),
  }));
}
