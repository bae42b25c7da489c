// Claim: decoding, defaulting and validating a Service takes at most a fifteenth of the reference's CPU time. `node bench/validation.bench.ts`.
import { runWorkloads } from './autoscaler-measure.ts';
import { services, type Service } from '../src/api/serving/service.ts';
import { strictDecode } from '../src/api/strict-decode.ts';
import { fullService, minimalService } from './validation.manifests.ts';

const context = { operation: 'create', user: 'bench' } as const;
let kept = 0;

function decode(value: unknown): Service {
  const { value: service, problems } = strictDecode(services.schema, value);
  if (problems.length > 0) throw new Error('the benchmark manifest does not decode');
  return service;
}

function defaulted(service: Service): Service {
  return services.defaults?.(service, context) ?? service;
}

function check(service: Service): void {
  const errors = services.validate?.(service, context) ?? [];
  if (errors.length > 0) throw new Error('the benchmark manifest is not valid');
}

const repeat =
  (operation: () => number) =>
  (operations: number): void => {
    for (let i = 0; i < operations; i++) kept += operation();
  };

function whole(manifest: object): () => (operations: number) => void {
  const text = JSON.stringify(manifest);
  return () =>
    repeat(() => {
      const service = defaulted(decode(JSON.parse(text)));
      check(service);
      return service.metadata.name.length;
    });
}

function admitted(manifest: object): () => (operations: number) => void {
  const text = JSON.stringify(manifest);
  return () =>
    repeat(() => {
      const service = defaulted(decode(JSON.parse(text)));
      check(service);
      return services.warnings?.(service, context).length ?? 0;
    });
}

function onlyDefaults(manifest: object): () => (operations: number) => void {
  const service = decode(JSON.parse(JSON.stringify(manifest)));
  return () => repeat(() => defaulted(service).metadata.name.length);
}

function onlyValidation(manifest: object): () => (operations: number) => void {
  const service = defaulted(decode(JSON.parse(JSON.stringify(manifest))));
  return () =>
    repeat(() => {
      check(service);
      return 1;
    });
}

runWorkloads(import.meta.url, [
  {
    name: 'JSON.parse, decode, default, validate: minimal',
    operations: 200_000,
    start: whole(minimalService),
    recordedNs: 127_705,
    goal: '15×',
  },
  {
    name: 'JSON.parse, decode, default, validate: full',
    operations: 50_000,
    start: whole(fullService),
    recordedNs: 386_805,
    goal: '15×',
  },
  {
    name: 'the same with warnings: minimal',
    operations: 100_000,
    start: admitted(minimalService),
    recordedNs: 127_705,
    goal: '15×',
  },
  { name: 'the same with warnings: full', operations: 40_000, start: admitted(fullService), recordedNs: 386_805, goal: '15×' },
  { name: 'defaults: minimal', operations: 400_000, start: onlyDefaults(minimalService), recordedNs: 2_597, goal: '3×' },
  { name: 'defaults: full', operations: 200_000, start: onlyDefaults(fullService), recordedNs: 7_527, goal: '3×' },
  { name: 'validate: minimal', operations: 400_000, start: onlyValidation(minimalService), recordedNs: 112_828, goal: '15×' },
  { name: 'validate: full', operations: 100_000, start: onlyValidation(fullService), recordedNs: 386_575, goal: '15×' },
]);
if (kept < 0) console.log(kept);
