import {
  autoscalingAnnotations as keys,
  findAnnotation,
  type AnnotationSpellings,
} from '../../api/autoscaling/annotation-keys.ts';
import type { AutoscalerConfig } from '../../api/autoscaling/config-autoscaler.ts';
import { parseGoFloat, parseGoInt } from '../../api/autoscaling/go-values.ts';
import {
  horizontalPodAutoscalers,
  type HorizontalPodAutoscaler,
  type MetricSpec,
} from '../../api/autoscaling/horizontal-pod-autoscaler.ts';
import { podAutoscalers, type PodAutoscaler } from '../../api/autoscaling/pod-autoscaler.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { parseGoDuration } from '../../duration.ts';
import { formatQuantity } from '../../quantity.ts';
import { controllerReference } from '../metadata.ts';

const int32Max = 2_147_483_647;

/** A 32-bit integer in an annotation; `undefined` when there is none or it cannot be read. */
export function integerAnnotation(pa: PodAutoscaler, spellings: AnnotationSpellings): number | undefined {
  const text = findAnnotation(pa.metadata.annotations, spellings)?.value;
  const parsed = text === undefined ? undefined : parseGoInt(text, 32);
  return parsed !== undefined && 'value' in parsed ? parsed.value : undefined;
}

/** Least number of pods, as the annotation or config-autoscaler say; 0 for a revision that no route uses. */
export function minScaleOf(pa: PodAutoscaler, config: AutoscalerConfig): number {
  return pa.spec.reachability === 'Unreachable' ? 0 : (integerAnnotation(pa, keys.minScale) ?? config.minScale);
}

/** The Kubernetes autoscaler for a PodAutoscaler of class HPA. Without a `target` Kubernetes' own default applies. */
export function makeHorizontalPodAutoscaler(pa: PodAutoscaler, config: AutoscalerConfig): HorizontalPodAutoscaler {
  const { name, namespace, labels, annotations } = pa.metadata;
  const { apiVersion, kind, name: target } = pa.spec.scaleTargetRef;
  const min = minScaleOf(pa, config);
  const max = integerAnnotation(pa, keys.maxScale) ?? config.maxScale;
  const metric = metricSpecOf(pa);
  const window = findAnnotation(annotations, keys.window)?.value;
  const windowMs = window === undefined ? undefined : parseGoDuration(window);
  const rules = { stabilizationWindowSeconds: Math.trunc((windowMs ?? 0) / 1_000) };
  return {
    apiVersion: apiVersionOf(horizontalPodAutoscalers),
    kind: horizontalPodAutoscalers.kind,
    metadata: {
      name,
      ...(namespace !== undefined && { namespace }),
      ...(labels !== undefined && { labels }),
      ...(annotations !== undefined && { annotations }),
      ownerReferences: [controllerReference(podAutoscalers, pa)],
    },
    spec: {
      scaleTargetRef: { apiVersion, kind, name: target },
      maxReplicas: max === 0 ? int32Max : max,
      ...(min > 0 && { minReplicas: min }),
      ...(metric !== undefined && { metrics: [metric] }),
      ...(windowMs !== undefined && { behavior: { scaleDown: rules, scaleUp: rules } }),
    },
  };
}

/** Fractions are rounded up for CPU and cut for everything else, as upstream does. */
function metricSpecOf(pa: PodAutoscaler): MetricSpec | undefined {
  const text = findAnnotation(pa.metadata.annotations, keys.target)?.value;
  const parsed = text === undefined ? undefined : parseGoFloat(text);
  if (parsed === undefined || !('value' in parsed)) return undefined;
  const metric = findAnnotation(pa.metadata.annotations, keys.metric)?.value ?? 'cpu';
  if (metric === 'cpu') {
    return {
      type: 'Resource',
      resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: Math.ceil(parsed.value) } },
    };
  }
  const whole = BigInt(Number.isFinite(parsed.value) ? Math.trunc(parsed.value) : 0) * 1_000_000_000n;
  if (metric === 'memory') {
    const averageValue = formatQuantity({ nanos: whole * 1_048_576n, format: 'binary' });
    return { type: 'Resource', resource: { name: 'memory', target: { type: 'AverageValue', averageValue } } };
  }
  const averageValue = formatQuantity({ nanos: whole, format: 'decimal' });
  return { type: 'Pods', pods: { metric: { name: metric }, target: { type: 'AverageValue', averageValue } } };
}
