import type { Exchange } from '../../http/index.ts';

/** Cookie that names the instance of a client. */
export const affinityCookieName = 'K-AFFINITY';
const lifetimeSeconds = 30 * 24 * 60 * 60;

/** The instance that the client's cookie names. */
export function affinityOf(exchange: Exchange): string | undefined {
  const cookies = exchange.header('cookie');
  if (cookies === undefined) return undefined;
  for (const part of cookies.split(/[;,]/)) {
    const at = part.indexOf('=');
    if (at > 0 && part.slice(0, at).trim() === affinityCookieName) return decode(part.slice(at + 1).trim());
  }
  return undefined;
}

/** Header that ties the client to the instance for 30 days, as Cloud Run does; a missing instance or one without room gives another. */
export function affinityCookie(instance: string, scheme: 'http' | 'https'): readonly string[] {
  const secure = scheme === 'https' ? '; Secure' : '';
  return [
    'set-cookie',
    `${affinityCookieName}=${encodeURIComponent(instance)}; Max-Age=${lifetimeSeconds}; Path=/; HttpOnly; SameSite=Lax${secure}`,
  ];
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}
