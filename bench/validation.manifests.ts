// The two Services of the reference's benchmark: only an image, and a full one. See "Workloads" in the vectors' GO-BASELINE.md.
export const minimalService: object = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'default' },
  spec: { template: { spec: { containers: [{ image: 'example.com/app:v1' }] } } },
};

export const fullService: object = {
  apiVersion: 'serving.knative.dev/v1',
  kind: 'Service',
  metadata: { name: 'hello', namespace: 'default', labels: { app: 'hello' } },
  spec: {
    template: {
      metadata: {
        name: 'hello-one',
        annotations: {
          'autoscaling.knative.dev/min-scale': '1',
          'autoscaling.knative.dev/max-scale': '10',
          'autoscaling.knative.dev/target': '50',
          'autoscaling.knative.dev/window': '60s',
          'autoscaling.knative.dev/metric': 'concurrency',
        },
      },
      spec: {
        containerConcurrency: 100,
        timeoutSeconds: 60,
        serviceAccountName: 'builder',
        volumes: [
          { name: 'settings', configMap: { name: 'settings', items: [{ key: 'a', path: 'a.txt' }] } },
          { name: 'scratch', emptyDir: { sizeLimit: '64Mi' } },
        ],
        containers: [
          {
            name: 'app',
            image: 'example.com/team/app:v1',
            ports: [{ name: 'http1', containerPort: 8080 }],
            env: [
              { name: 'LEVEL', value: 'info' },
              { name: 'TOKEN', valueFrom: { secretKeyRef: { name: 'tokens', key: 'app' } } },
              { name: 'REGION', value: 'here' },
            ],
            resources: { limits: { cpu: '1', memory: '512Mi' }, requests: { cpu: '100m', memory: '128Mi' } },
            readinessProbe: { httpGet: { path: '/ready' }, periodSeconds: 5 },
            livenessProbe: { httpGet: { path: '/live' }, initialDelaySeconds: 3 },
            volumeMounts: [
              { name: 'settings', mountPath: '/etc/settings', readOnly: true },
              { name: 'scratch', mountPath: '/scratch' },
            ],
            securityContext: {
              runAsNonRoot: true,
              allowPrivilegeEscalation: false,
              capabilities: { drop: ['ALL'] },
              seccompProfile: { type: 'RuntimeDefault' },
            },
          },
          { name: 'sidecar', image: 'example.com/team/sidecar:v2', env: [{ name: 'MODE', value: 'fast' }] },
        ],
      },
    },
    traffic: [
      { latestRevision: true, percent: 90 },
      { revisionName: 'hello-zero', percent: 10, tag: 'stable' },
    ],
  },
};
