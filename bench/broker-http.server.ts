// A broker behind its HTTP ingress: `node broker-http.server.ts TRIGGERS SUBSCRIBER_PORT`, port 0 for a function. Prints its port.
import { createBroker } from '../src/eventing/broker.ts';
import { createIngress } from '../src/eventing/ingress.ts';
import { memoryLog } from '../src/eventing/logs/memory.ts';
import { createHttpServer } from '../src/http/index.ts';

const triggers = Number(process.argv[2] ?? 1);
const port = Number(process.argv[3] ?? 0);
const broker = await createBroker({ log: memoryLog({ eventsMax: 1_000_000 }) });
for (let at = 0; at < triggers; at++) {
  broker.addTrigger(`default/t${at}`, {
    filters: [{ exact: { type: `com.example.type${at}` } }],
    delivery: { retry: 5, backoffPolicy: 'exponential', backoffDelay: 'PT0.2S', timeout: 'PT10S' },
    subscriber: port === 0 ? async () => undefined : `http://127.0.0.1:${port}/`,
    parallelism: 64,
  });
}
const ingress = createIngress({ brokerOf: () => broker });
const server = createHttpServer({
  async handler(exchange) {
    if (exchange.target !== '/idle') return ingress(exchange);
    while (broker.triggers.some((name) => broker.backlog(name) > 0)) await new Promise((resolve) => setTimeout(resolve, 5));
    exchange.respond(200, []);
  },
});
console.log((await server.listen()).port);
