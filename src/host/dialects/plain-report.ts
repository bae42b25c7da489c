import type { ReportLine } from './dialect.ts';
import { reportEventing } from './eventing-report.ts';
import type { JsonObject } from './json-path.ts';
import { reportService } from './service-report.ts';

/** What is said about a plain Knative or Kubernetes document. */
export function reportPlain(document: JsonObject): readonly ReportLine[] {
  const kind = document['kind'];
  const serving = String(document['apiVersion']).startsWith('serving.knative.dev/');
  return serving && (kind === 'Service' || kind === 'Configuration') ? reportService(document) : reportEventing(document);
}
