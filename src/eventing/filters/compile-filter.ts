import type { SubscriptionsApiFilter, TriggerFilter } from '../../api/eventing/filter-spec.ts';
import { toEventMessage, type EventLike } from '../../cloudevents/index.ts';
import { KnativeError } from '../../errors.ts';
import { attributeReader, isCoreAttribute, textReader } from './attribute.ts';
import { parseCesqlFilter } from './cesql-node.ts';
import { explainNode, type FilterExplanation } from './explain-filter.ts';
import { evaluateNode, fail, noFilter, type FilterNode } from './filter-node.ts';

/** The filters of a Trigger: `filters` wins when it has an element. */
export interface FilterSpec {
  readonly filter?: TriggerFilter | undefined;
  readonly filters?: readonly SubscriptionsApiFilter[] | undefined;
}

/** `noFilter` delivers just as `pass` does: there was nothing to compare. */
export type FilterResult = 'pass' | 'fail' | 'noFilter';

/** A compiled filter. */
export interface Filter {
  evaluate(event: EventLike): FilterResult;
  /** True when the event is to be delivered. */
  matches(event: EventLike): boolean;
  /** Why the event is delivered or not, with the result of each part. */
  explain(event: EventLike): FilterExplanation;
  readonly node: FilterNode;
}

export interface CompileFilterOptions {
  /**
   * What to do with a CESQL expression that does not parse. `refuse` (the default) throws; `skip` leaves it out as upstream's broker does
   * with a filter that got past its webhook, which then delivers more than was asked for.
   */
  readonly invalidCesql?: 'refuse' | 'skip';
}

const filterDepthMax = 100;

/**
 * Compiles the filters of a Trigger, a source or an event policy. Throws EVENTING_INVALID_FILTER for a CESQL expression that does not
 * parse and for filters nested more than 100 deep.
 */
export function compileFilter(spec: FilterSpec, options: CompileFilterOptions = {}): Filter {
  return new CompiledFilter(makeNode(spec, options));
}

class CompiledFilter implements Filter {
  readonly node: FilterNode;
  constructor(node: FilterNode) {
    this.node = node;
  }
  evaluate(event: EventLike): FilterResult {
    const result = evaluateNode(this.node, toEventMessage(event));
    return result === fail ? 'fail' : result === noFilter ? 'noFilter' : 'pass';
  }
  matches(event: EventLike): boolean {
    return evaluateNode(this.node, toEventMessage(event)) !== fail;
  }
  explain(event: EventLike): FilterExplanation {
    return explainNode(this.node, toEventMessage(event));
  }
}

function makeNode(spec: FilterSpec, options: CompileFilterOptions): FilterNode {
  if (spec.filters !== undefined && spec.filters.length > 0) {
    return combine('all', makeNodes(spec.filters, 'filters', options, 0));
  }
  const attributes = spec.filter?.attributes;
  if (attributes === undefined) return { kind: 'none' };
  const nodes = Object.entries(attributes).flatMap(([name, value]) => legacyNodes(name, value));
  return nodes.length === 0 ? { kind: 'pass' } : combine('all', nodes);
}

// The legacy filter compares values as they are in memory, so a number never equals the text of its digits.
function legacyNodes(attribute: string, value: string): FilterNode[] {
  if (value === '') return [{ kind: 'present', attribute, read: attributeReader(attribute) }];
  const exact: FilterNode = { kind: 'exact', attribute, value, read: textReader(attribute) };
  return isCoreAttribute(attribute) ? [exact] : [exact, { kind: 'text', attribute, read: attributeReader(attribute) }];
}

function combine(kind: 'all' | 'any', nodes: readonly FilterNode[]): FilterNode {
  const [first] = nodes;
  if (first === undefined) return { kind: 'none' };
  return nodes.length === 1 ? first : { kind, nodes };
}

function makeNodes(
  filters: readonly SubscriptionsApiFilter[],
  path: string,
  options: CompileFilterOptions,
  depth: number,
): FilterNode[] {
  const nodes: FilterNode[] = [];
  filters.forEach((filter, index) => {
    const node = makeFilterNode(filter, `${path}[${index}]`, options, depth + 1);
    if (node !== undefined) nodes.push(node);
  });
  return nodes;
}

/** `undefined` for a filter that says nothing or cannot be built: upstream leaves it out of its list. */
function makeFilterNode(
  filter: SubscriptionsApiFilter,
  path: string,
  options: CompileFilterOptions,
  depth: number,
): FilterNode | undefined {
  if (depth > filterDepthMax) {
    throw new KnativeError('EVENTING_INVALID_FILTER', `${path}: filters are nested more than ${filterDepthMax} deep`, { path });
  }
  for (const kind of ['exact', 'prefix', 'suffix'] as const) {
    const attributes = Object.entries(filter[kind] ?? {});
    if (attributes.length > 0) return atoms(kind, attributes);
  }
  for (const kind of ['all', 'any'] as const) {
    const filters = filter[kind];
    if (filters !== undefined && filters.length > 0) return combine(kind, makeNodes(filters, `${path}.${kind}`, options, depth));
  }
  if (filter.not !== undefined) {
    const node = makeFilterNode(filter.not, `${path}.not`, options, depth + 1);
    return node === undefined ? { kind: 'none' } : { kind: 'not', node };
  }
  if (filter.cesql === undefined || filter.cesql === '') return undefined;
  return cesqlNode(filter.cesql, `${path}.cesql`, options);
}

function cesqlNode(text: string, path: string, options: CompileFilterOptions): FilterNode | undefined {
  const node = parseCesqlFilter(text);
  if (typeof node !== 'string') return node;
  if (options.invalidCesql === 'skip') return undefined;
  throw new KnativeError('EVENTING_INVALID_FILTER', `${path}: ${JSON.stringify(text)} is not a CESQL expression: ${node}`, {
    path,
    hint: 'correct the expression; `knative-embed cesql` shows how one is read',
  });
}

function atoms(kind: 'exact' | 'prefix' | 'suffix', attributes: readonly [string, string][]): FilterNode | undefined {
  if (attributes.some(([name, value]) => name === '' || value === '')) return undefined;
  return combine(
    'all',
    attributes.map(([attribute, value]) => ({ kind, attribute, value, read: textReader(attribute) })),
  );
}
