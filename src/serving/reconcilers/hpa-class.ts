import { autoscalingAnnotations as keys, findAnnotation, hpaClass } from '../../api/autoscaling/annotation-keys.ts';
import {
  defaultAutoscalerConfig,
  parseAutoscalerConfig,
  type AutoscalerConfig,
} from '../../api/autoscaling/config-autoscaler.ts';
import { horizontalPodAutoscalers, type HorizontalPodAutoscaler } from '../../api/autoscaling/horizontal-pod-autoscaler.ts';
import { podAutoscalers, type PodAutoscaler, type PodAutoscalerStatus } from '../../api/autoscaling/pod-autoscaler.ts';
import { isTrue } from '../../api/conditions.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { serverlessServices, type ServerlessService } from '../../api/networking/serverless-service.ts';
import type { Reader, Reconciler } from '../../api/reconciler.ts';
import { parsedConfig } from '../config/read.ts';
import { semanticEqual } from '../equal.ts';
import { markResourceNotOwned, markSksNotReady, podAutoscalerConditions } from '../lifecycle/pod-autoscaler.ts';
import { isReady } from '../lifecycle/readiness.ts';
import { controllerReference, isControlledBy, withoutKeys } from '../metadata.ts';
import { failPass, runPass, type Pass } from '../pass.ts';
import { integerAnnotation, makeHorizontalPodAutoscaler, minScaleOf } from '../resources/horizontal-pod-autoscaler.ts';

const autoscalerConfig = parsedConfig('config-autoscaler', (data) => {
  const parsed = parseAutoscalerConfig(data);
  return 'config' in parsed ? parsed.config : defaultAutoscalerConfig();
});

/**
 * PodAutoscaler of class `hpa.autoscaling.knative.dev` → HorizontalPodAutoscaler and ServerlessService, for clusters whose
 * kube-controller-manager scales. It leaves other classes alone; a host without that controller uses the autoscaler's own policy.
 */
export const hpaClassReconciler: Reconciler<PodAutoscaler> = {
  name: 'hpa-class',
  kind: podAutoscalers,
  reconcile(pa, world, nowMs) {
    if (findAnnotation(pa.metadata.annotations, keys.class)?.value !== hpaClass) return { writes: [] };
    const config = autoscalerConfig(world);
    return runPass<PodAutoscalerStatus>(pa, podAutoscalerConditions, nowMs, {}, (pass) => {
      const hpa = syncHpa(pass, pa, config, world);
      const sks = syncServerlessService(pass, pa, world);
      setText(pass.status, 'metricsServiceName', sks.status?.privateServiceName);
      setText(pass.status, 'serviceName', sks.status?.serviceName);
      const { currentReplicas = 0, desiredReplicas = 0 } = hpa.status ?? {};
      if (!isReady(sks)) markSksNotReady(pass.conditions, 'SKS Services are not ready yet');
      else {
        pass.conditions.markTrue('SKSReady');
        if (!isTrue(pass.conditions.get('ScaleTargetInitialized')) && currentReplicas >= initialThreshold(pa, config)) {
          pass.conditions.markTrue('ScaleTargetInitialized');
        }
      }
      pass.conditions.markTrue('Active');
      pass.status.desiredScale = desiredReplicas;
      pass.status.actualScale = currentReplicas;
    });
  },
};

function setText(status: PodAutoscalerStatus, key: 'metricsServiceName' | 'serviceName', text: string | undefined): void {
  if (text === undefined) delete status[key];
  else status[key] = text;
}

function syncHpa(
  pass: Pass<PodAutoscalerStatus>,
  pa: PodAutoscaler,
  config: AutoscalerConfig,
  world: Reader,
): HorizontalPodAutoscaler {
  const desired = makeHorizontalPodAutoscaler(pa, config);
  const { name } = desired.metadata;
  const existing = world.get(horizontalPodAutoscalers, pa.metadata.namespace, name);
  if (existing === undefined) return pass.create(horizontalPodAutoscalers, desired);
  if (!isControlledBy(existing, pa)) {
    markResourceNotOwned(pass.conditions, 'HorizontalPodAutoscaler', name);
    failPass(`PodAutoscaler: "${pa.metadata.name}" does not own HPA: "${name}"`);
  }
  if (semanticEqual(existing.spec, desired.spec)) return existing;
  const { labels = {}, annotations = {} } = desired.metadata;
  return pass.update(horizontalPodAutoscalers, {
    ...existing,
    spec: desired.spec,
    metadata: { ...existing.metadata, labels, annotations },
  });
}

function syncServerlessService(pass: Pass<PodAutoscalerStatus>, pa: PodAutoscaler, world: Reader): ServerlessService {
  const { name, namespace, labels, annotations } = pa.metadata;
  const desired: ServerlessService = {
    apiVersion: apiVersionOf(serverlessServices),
    kind: serverlessServices.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      annotations: withoutKeys(annotations, (key) => key === keys.metric[0]),
      ownerReferences: [controllerReference(podAutoscalers, pa)],
    },
    spec: {
      mode: 'Serve',
      objectRef: pa.spec.scaleTargetRef,
      protocolType: pa.spec.protocolType === 'h2c' ? 'h2c' : 'http1',
    },
  };
  const existing = world.get(serverlessServices, namespace, name);
  if (existing === undefined) return pass.create(serverlessServices, desired);
  if (!isControlledBy(existing, pa)) {
    markResourceNotOwned(pass.conditions, 'ServerlessService', name);
    failPass(`error reconciling SKS: PA: ${name} does not own SKS: ${name}`);
  }
  const sameSpec = semanticEqual({ ...existing.spec, numActivators: existing.spec.numActivators || undefined }, desired.spec);
  if (sameSpec) return existing;
  const changed = pass.update(serverlessServices, { ...existing, spec: desired.spec });
  return { ...changed, metadata: { ...changed.metadata, generation: (existing.metadata.generation ?? 0) + 1 } };
}

/** Pods that must once have run before the revision counts as started. */
function initialThreshold(pa: PodAutoscaler, config: AutoscalerConfig): number {
  const own = integerAnnotation(pa, keys.initialScale);
  const initial = own === undefined || (own === 0 && !config.allowZeroInitialScale) ? config.initialScale : own;
  return Math.max(minScaleOf(pa, config), initial);
}
