/**
 * The config maps that an installation of Knative Eventing brings, by name: what a host answers admission and reconcilers with while none of
 * that name is applied. With them a Broker without class gets class MTChannelBasedBroker, and a Channel without template is in memory.
 */
export const installedEventingConfig: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'config-br-defaults': {
    'default-br-config': [
      'clusterDefault:',
      '  brokerClass: MTChannelBasedBroker',
      '  apiVersion: v1',
      '  kind: ConfigMap',
      '  name: config-br-default-channel',
      '  namespace: knative-eventing',
      '  delivery:',
      '    retry: 10',
      '    backoffPolicy: exponential',
      '    backoffDelay: PT0.2S',
      '',
    ].join('\n'),
  },
  'config-br-default-channel': {
    'channel-template-spec': 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n',
  },
  'default-ch-webhook': {
    'default-ch-config': 'clusterDefault:\n  apiVersion: messaging.knative.dev/v1\n  kind: InMemoryChannel\n',
  },
};
