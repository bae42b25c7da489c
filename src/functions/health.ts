import type { Exchange } from '../http/exchange.ts';
import type { FunctionContext } from './context.ts';
import type { HealthHook, HealthReply } from './define-function.ts';
import type { ErrorAnswer } from './error-answer.ts';
import { sendResult, type ResultRules } from './result.ts';

/** Where probes are answered; an empty path turns one off. */
export interface HealthPaths {
  readonly liveness: string;
  readonly readiness: string;
}

/** Answers a probe: `OK` without a hook, else what the hook returns with the status that it sets. */
export async function answerProbe(
  exchange: Exchange,
  hook: HealthHook | undefined,
  context: FunctionContext,
  rules: ResultRules,
  answerError: ErrorAnswer,
): Promise<void> {
  if (hook === undefined) {
    exchange.respond(200, ['content-type', 'text/plain; charset=utf-8'], 'OK');
    return;
  }
  let status = 200;
  let sent: unknown;
  const reply: HealthReply = {
    code(value) {
      status = value;
      return reply;
    },
    send(value) {
      sent = value;
      return reply;
    },
  };
  try {
    const returned = await hook(context, reply);
    const value = returned === undefined || returned === reply ? sent : returned;
    const bare: ResultRules = { ...rules, headers: [] };
    if (status === 200 && value === undefined) exchange.respond(200, ['content-type', 'text/plain; charset=utf-8'], 'OK');
    else if (status === 200) await sendResult(exchange, value, bare);
    else await sendResult(exchange, { statusCode: status, headers: typeOf(value), body: value ?? '' }, bare);
  } catch (error) {
    answerError(exchange, error, false, []);
  }
}

function typeOf(value: unknown): Record<string, string> {
  return typeof value === 'string' || value === undefined ? { 'content-type': 'text/plain; charset=utf-8' } : {};
}
