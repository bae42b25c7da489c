import {
  also,
  disallowedFields,
  genericError,
  invalidValue,
  missingOneOf,
  multipleOneOf,
  noErrors,
  outOfBounds,
  viaField,
  type FieldErrors,
} from '../field-errors.ts';
import type { Probe } from '../core/container.ts';

const int32Max = 2_147_483_647;

/**
 * Checks a liveness or startup probe. `portName` is the name of the serving port that a named probe port has to equal; `undefined`
 * for a sidecar, which has to name a port of its own.
 */
export function validateProbe(probe: Probe | undefined, portName: string | undefined): FieldErrors {
  if (probe === undefined) return noErrors;
  const handlers: string[] = [];
  let errors = noErrors;
  // Upstream prefixes everything found so far with the handler that it looks at next.
  if (probe.httpGet !== undefined) {
    handlers.push('httpGet');
    errors = also(errors, validateProbePort(probe.httpGet.port ?? 0, portName, 'httpGet.port'));
  }
  if (probe.tcpSocket !== undefined) {
    handlers.push('tcpSocket');
    errors = also(viaField(errors, 'tcpSocket'), validateProbePort(probe.tcpSocket.port ?? 0, portName, 'tcpSocket.port'));
  }
  if (probe.exec !== undefined) {
    handlers.push('exec');
    errors = viaField(errors, 'exec');
  }
  if (probe.grpc !== undefined) {
    handlers.push('gRPC');
    errors = viaField(errors, 'grpc');
  }
  if (handlers.length === 0) return missingOneOf('httpGet', 'tcpSocket', 'exec', 'grpc');
  return handlers.length > 1 ? also(errors, multipleOneOf(...handlers)) : errors;
}

function validateProbePort(port: number | string, portName: string | undefined, path: string): FieldErrors {
  if (portName !== undefined) {
    const wrongName = typeof port === 'string' && port !== '' && port !== portName;
    return wrongName ? invalidValue(port, path, 'Probe port must match container port') : noErrors;
  }
  return port === 0 || port === '' ? invalidValue(port === '' ? '' : port, path, 'Probe port must be specified') : noErrors;
}

/** Checks a readiness probe. With a period of 0 Knative itself probes, as often as it likes. */
export function validateReadinessProbe(probe: Probe | undefined, portName: string | undefined): FieldErrors {
  if (probe === undefined) return noErrors;
  const period = probe.periodSeconds ?? 0;
  const failureThreshold = probe.failureThreshold ?? 0;
  const timeout = probe.timeoutSeconds ?? 0;
  return also(
    validateProbe(probe, portName),
    atLeast(period, 0, 'periodSeconds'),
    atLeast(probe.initialDelaySeconds ?? 0, 0, 'initialDelaySeconds'),
    atLeast(probe.successThreshold ?? 0, 1, 'successThreshold'),
    ...(period === 0
      ? [
          failureThreshold === 0
            ? noErrors
            : genericError('failureThreshold is disallowed when periodSeconds is zero', 'failureThreshold'),
          timeout === 0 ? noErrors : genericError('timeoutSeconds is disallowed when periodSeconds is zero', 'timeoutSeconds'),
        ]
      : [atLeast(timeout, 1, 'timeoutSeconds'), atLeast(failureThreshold, 1, 'failureThreshold')]),
  );
}

function atLeast(value: number, min: number, path: string): FieldErrors {
  return value < min ? outOfBounds(value, min, int32Max, path) : noErrors;
}

const handlerFields = new Set(['exec', 'httpGet', 'tcpSocket', 'grpc']);

/** Without multi-container probing a sidecar may have no probe with content: every field set in one is named. */
export function disallowProbe(probe: Probe | undefined): FieldErrors {
  if (probe === undefined) return noErrors;
  const found = new Set<string>();
  for (const [field, value] of Object.entries(probe)) {
    if (value === undefined || (value === 0 && field !== 'terminationGracePeriodSeconds')) continue;
    // The handlers are one embedded struct in Go, which has no name of its own.
    found.add(handlerFields.has(field) ? '' : field);
  }
  return found.size === 0 ? noErrors : disallowedFields(...[...found].sort());
}
