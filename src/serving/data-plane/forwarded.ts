import type { Exchange } from '../../http/index.ts';

/** What to do with a request header on its way to an instance. */
type HeaderAction = 'keep' | 'drop' | 'connection' | 'te' | 'original-host' | 'for' | 'proto' | 'forwarded-host' | 'forwarded';

const actions: ReadonlyMap<string, HeaderAction> = new Map<string, HeaderAction>([
  // Only the ingress may name the revision.
  ['knative-serving-namespace', 'drop'],
  ['knative-serving-revision', 'drop'],
  // These belong to the client's connection.
  ['connection', 'connection'],
  ['proxy-connection', 'drop'],
  ['keep-alive', 'drop'],
  ['proxy-authenticate', 'drop'],
  ['proxy-authorization', 'drop'],
  ['te', 'te'],
  ['trailer', 'drop'],
  ['transfer-encoding', 'drop'],
  ['upgrade', 'drop'],
  ['k-original-host', 'original-host'],
  ['x-forwarded-for', 'for'],
  ['x-forwarded-proto', 'proto'],
  ['x-forwarded-host', 'forwarded-host'],
  ['forwarded', 'forwarded'],
]);

// Header names repeat: remembering the answer for the spelling saves a lower-casing for each header of each request.
const seenNames = new Map<string, HeaderAction>();
const seenNamesMax = 2_000;

function actionOf(name: string): HeaderAction {
  const seen = seenNames.get(name);
  if (seen !== undefined) return seen;
  const action = actions.get(name.toLowerCase()) ?? 'keep';
  if (seenNames.size < seenNamesMax) seenNames.set(name, action);
  return action;
}

export interface InstanceHeaders {
  readonly rawHeaders: string[];
  /** Host for the instance. */
  readonly host: string;
}

export interface InstanceHeaderOptions {
  /** Headers to set, names and values in turn; they replace what the client sent under these names. */
  readonly set?: readonly string[];
  /** Host instead of the one received. */
  readonly rewriteHost?: string | undefined;
  /** `ingress`: the client connects here, so its address and scheme belong into the forwarding headers. `sidecar`: they came with the request. */
  readonly role: 'ingress' | 'sidecar';
  /** Whether to make a `Forwarded` header; default true. */
  readonly forwarded?: boolean;
  /** Lower-case names of further headers to leave out. */
  readonly drop?: readonly string[];
}

/**
 * Request headers as an instance gets them: without those of the client's connection and those that name the revision, with the original host restored,
 * `X-Forwarded-For` extended by the peer, and `Forwarded` made from the `X-Forwarded-*` headers where it is absent. Sources:
 * `pkg/queue/forwarded_shim.go`, `pkg/http/handler`.
 */
export function instanceHeaders(
  exchange: Exchange,
  { set, rewriteHost, role, forwarded: makeForwarded = true, drop }: InstanceHeaderOptions,
): InstanceHeaders {
  const source = exchange.rawHeaders;
  const rawHeaders: string[] = [];
  let host = rewriteHost ?? exchange.host;
  let forwardedFor: string | undefined;
  let proto: string | undefined;
  let forwardedHost: string | undefined;
  let forwarded = false;
  let named: Set<string> | undefined;
  for (let i = 0; i + 1 < source.length; i += 2) {
    const name = source[i] ?? '';
    const value = source[i + 1] ?? '';
    const action = actionOf(name);
    if (action === 'keep') {
      if (set !== undefined && set.length > 0 && isSet(set, name)) continue;
      if (drop?.includes(name.toLowerCase()) !== true) rawHeaders.push(name, value);
      continue;
    }
    if (action === 'original-host') {
      // A gateway is the first hop: what a client claims here must not choose the host that the instance sees.
      if (role === 'sidecar') host = value;
      continue;
    }
    if (action === 'for') {
      forwardedFor = forwardedFor === undefined ? value : `${forwardedFor}, ${value}`;
      continue;
    }
    if (action === 'drop') continue;
    if (action === 'connection') {
      if (value !== 'keep-alive' && value !== 'close') named = namedHeaders(value, named);
      continue;
    }
    if (action === 'te') {
      // Trailers are end to end; other values of TE are not.
      if (value.toLowerCase().includes('trailers')) rawHeaders.push('Te', 'trailers');
      continue;
    }
    if (action === 'proto') {
      if (role === 'ingress' && value !== 'http' && value !== 'https') continue;
      proto ??= value;
    } else if (action === 'forwarded-host') forwardedHost ??= value;
    else forwarded = true;
    rawHeaders.push(name, value);
  }
  if (named !== undefined) dropNamed(rawHeaders, named);
  if (exchange.upgrade !== undefined) rawHeaders.push('Connection', 'Upgrade', 'Upgrade', exchange.upgrade);
  const peer = plainAddress(exchange.remoteAddress);
  const withPeer = peer === '' ? forwardedFor : forwardedFor === undefined ? peer : `${forwardedFor}, ${peer}`;
  if (role === 'ingress' && proto === undefined) {
    proto = exchange.scheme;
    rawHeaders.push('X-Forwarded-Proto', proto);
  }
  if (makeForwarded && !forwarded) {
    const header = rememberedForwarded(role === 'ingress' ? withPeer : forwardedFor, proto, forwardedHost);
    if (header !== '') rawHeaders.push('Forwarded', header);
  }
  if (withPeer !== undefined) rawHeaders.push('X-Forwarded-For', withPeer);
  if (set !== undefined) for (const item of set) rawHeaders.push(item);
  return { rawHeaders, host };
}

/** Headers that a Connection header declares to be the connection's own; those that say what the message is stay. */
function namedHeaders(value: string, before: Set<string> | undefined): Set<string> | undefined {
  let names = before;
  for (const item of value.split(',')) {
    const name = item.trim().toLowerCase();
    if (
      name === '' ||
      name === 'keep-alive' ||
      name === 'close' ||
      name === 'upgrade' ||
      name === 'te' ||
      name === 'content-length'
    )
      continue;
    names ??= new Set();
    names.add(name);
  }
  return names;
}

function dropNamed(rawHeaders: string[], names: ReadonlySet<string>): void {
  for (let i = rawHeaders.length - 2; i >= 0; i -= 2) {
    if (names.has((rawHeaders[i] ?? '').toLowerCase())) rawHeaders.splice(i, 2);
  }
}

// Neighbouring requests mostly come from the same few addresses.
let lastFor: string | undefined;
let lastProto: string | undefined;
let lastHost: string | undefined;
let lastForwarded = '';

function rememberedForwarded(forwardedFor: string | undefined, proto: string | undefined, host: string | undefined): string {
  if (forwardedFor !== lastFor || proto !== lastProto || host !== lastHost) {
    lastForwarded = forwardedHeader(forwardedFor, proto, host);
    lastFor = forwardedFor;
    lastProto = proto;
    lastHost = host;
  }
  return lastForwarded;
}

/** The RFC 7239 header for the given `X-Forwarded-*` values, '' when there are none. */
export function forwardedHeader(forwardedFor: string | undefined, proto: string | undefined, host: string | undefined): string {
  const present = (value: string | undefined): value is string => value !== undefined && value !== '';
  const addresses = present(forwardedFor) ? splitAddresses(forwardedFor) : [];
  const first: string[] = [];
  if (addresses[0] !== undefined) first.push(`for=${nodeName(addresses[0])}`);
  if (present(host)) first.push(`host=${host}`);
  if (present(proto)) first.push(`proto=${proto}`);
  if (first.length === 0) return '';
  return [first.join(';'), ...addresses.slice(1).map((address) => `for=${nodeName(address)}`)].join(', ');
}

/** Upstream splits at each comma and drops one empty part at the end. */
function splitAddresses(list: string): string[] {
  const parts = list.split(',').map((part) => part.trim());
  if (parts.at(-1) === '') parts.pop();
  return parts;
}

function nodeName(address: string): string {
  return address.includes(':') ? `"[${address}]"` : address;
}

/** An IPv4 address that arrived on a dual-stack socket in its plain form. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

function isSet(set: readonly string[], name: string): boolean {
  for (let i = 0; i < set.length; i += 2) {
    const other = set[i] ?? '';
    if (other.length === name.length && (other === name || other.toLowerCase() === name.toLowerCase())) return true;
  }
  return false;
}
