// The two transports that carry an Exchange, behind one face, so that every test of the contract runs on both.
import { createHttpClient, createHttpServer, createMemoryNetwork, type Handler, type HttpClient } from '../../src/http/index.ts';

export interface Transport extends AsyncDisposable {
  readonly url: string;
  readonly client: HttpClient;
}

export const transports: Record<string, (handler: Handler) => Promise<Transport>> = {
  sockets: async (handler) => {
    const server = createHttpServer({ handler });
    const { url } = await server.listen();
    const client = createHttpClient();
    return {
      url,
      client,
      async [Symbol.asyncDispose]() {
        await client.close();
        await server.close(0);
      },
    };
  },
  memory: (handler) => {
    const network = createMemoryNetwork();
    network.register('server.test', handler);
    return Promise.resolve({
      url: 'http://server.test',
      client: network.client,
      [Symbol.asyncDispose]: () => network.client.close(),
    });
  },
};

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/** A promise that the test settles. */
export function deferred<T>(): Deferred<T> {
  let resolve: Deferred<T>['resolve'] = () => undefined;
  let reject: Deferred<T>['reject'] = () => undefined;
  const promise = new Promise<T>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
