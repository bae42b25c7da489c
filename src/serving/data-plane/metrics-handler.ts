import { respondText, type Handler } from '../../http/index.ts';
import { prometheusContentType, type Registry } from '../../telemetry/index.ts';

/** Answers GET with a registry's series in Prometheus' text format: mount it where the scraper looks. */
export function createMetricsHandler(registry: Registry): Handler {
  return (exchange) => {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD')
      respondText(exchange, 405, 'method not allowed', ['allow', 'GET, HEAD']);
    else exchange.respond(200, ['content-type', prometheusContentType], registry.prometheus());
  };
}
