import type { Exchange } from '../http/exchange.ts';
import { escapeHtml } from './framework-response.ts';

/** What went wrong with a function that is being developed. */
export interface FunctionFailure {
  readonly message: string;
  readonly stack?: string | undefined;
}

/** Answers with the failure: a page for browsers, text for others. For developers' eyes only. */
export function answerFailure(exchange: Exchange, failure: FunctionFailure): void {
  const detail = failure.stack ?? failure.message;
  if (exchange.header('accept')?.includes('text/html') !== true) {
    exchange.respond(500, ['content-type', 'text/plain; charset=utf-8'], `the function cannot be started\n\n${detail}\n`);
    return;
  }
  const page = `<!doctype html><meta charset="utf-8"><title>The function cannot be started</title>
<style>body{font:16px system-ui;margin:3rem;max-width:60rem}pre{background:#f4f4f5;padding:1rem;overflow:auto;font-size:14px}h1{font-size:1.3rem;color:#b91c1c}</style>
<h1>The function cannot be started</h1><p>${escapeHtml(failure.message)}</p><pre>${escapeHtml(detail)}</pre>
<p>Save the file again: the next start is tried at once.</p>`;
  exchange.respond(500, ['content-type', 'text/html; charset=utf-8'], page);
}
