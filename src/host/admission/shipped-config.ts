type Data = Readonly<Record<string, string>>;

const inMemoryChannel = 'apiVersion: messaging.knative.dev/v1\nkind: InMemoryChannel\n';

/** Config maps of Knative Eventing as upstream's installation has them: what brokers and channels get that do not say otherwise. */
export const shippedConfig: Readonly<Record<string, Data>> = {
  'config-br-defaults': {
    'default-br-config': `clusterDefault:
  brokerClass: MTChannelBasedBroker
  apiVersion: v1
  kind: ConfigMap
  name: config-br-default-channel
  namespace: knative-eventing
  delivery:
    retry: 10
    backoffPolicy: exponential
    backoffDelay: PT0.2S
`,
  },
  'config-br-default-channel': { 'channel-template-spec': inMemoryChannel },
  'default-ch-webhook': { 'default-ch-config': `clusterDefault:\n${inMemoryChannel.replace(/^/gm, '  ')}` },
};
