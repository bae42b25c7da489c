import type { AtomNode, FilterNode } from './filters/filter-node.ts';

/**
 * How a filter is found in the index. `atoms`: look-ups of which at least one succeeds for every event that the filter delivers; `rest`:
 * what must hold besides.
 */
export type Access =
  | { readonly kind: 'always' }
  | { readonly kind: 'atoms'; readonly atoms: readonly AtomNode[]; readonly rest: readonly FilterNode[] }
  /** Delivered unless the attribute has this one value. */
  | { readonly kind: 'unless'; readonly not: NotNode; readonly atom: AtomNode }
  /** Nothing can be looked up: evaluated for every event. */
  | { readonly kind: 'scan'; readonly rest: readonly FilterNode[] };

type NotNode = Extract<FilterNode, { kind: 'not' }>;

/** How full a look-up is already: the number of filters that share it. */
export type Occupancy = (atom: AtomNode) => number;

const always: Access = { kind: 'always' };
// A very short prefix or suffix is shared by many values even while few filters name it.
const shortValueLength = 3;
const shortValueCost = 8;

/** Chooses the look-up that finds a filter with the fewest false hits. */
export function chooseAccess(node: FilterNode, occupancy: Occupancy): Access {
  const conjuncts: FilterNode[] = [];
  collectConjuncts(node, conjuncts);
  const [first] = conjuncts;
  if (first === undefined) return always;
  if (conjuncts.length === 1 && first.kind === 'not' && first.node.kind === 'exact') {
    return { kind: 'unless', not: first, atom: first.node };
  }
  let best: Lookup | undefined;
  let bestIndex = -1;
  let bestCost = Infinity;
  for (let index = 0; index < conjuncts.length; index++) {
    const conjunct = conjuncts[index];
    const lookup = conjunct === undefined ? undefined : lookupOf(conjunct, occupancy);
    if (lookup === undefined || lookup.cost >= bestCost) continue;
    best = lookup;
    bestIndex = index;
    bestCost = lookup.cost;
  }
  if (best === undefined) return { kind: 'scan', rest: conjuncts };
  const rest = best.complete ? conjuncts.filter((_, index) => index !== bestIndex) : conjuncts;
  return { kind: 'atoms', atoms: best.atoms, rest };
}

interface Lookup {
  readonly atoms: readonly AtomNode[];
  /** True when the look-up says all that the node says. */
  readonly complete: boolean;
  readonly cost: number;
}

// A filter delivers when none of its conjuncts fails; those that never fail are dropped.
function collectConjuncts(node: FilterNode, into: FilterNode[]): void {
  if (neverFails(node)) return;
  if (node.kind === 'all') {
    for (const child of node.nodes) collectConjuncts(child, into);
  } else if (node.kind === 'cesql' && node.split !== undefined) collectConjuncts(node.split, into);
  else if (node.kind === 'not' && node.node.kind === 'not') collectConjuncts(node.node.node, into);
  else into.push(node);
}

function neverFails(node: FilterNode): boolean {
  switch (node.kind) {
    case 'none':
    case 'pass':
      return true;
    case 'all':
      return node.nodes.every(neverFails);
    case 'any':
      return node.nodes.some((child) => child.kind === 'pass') || node.nodes.at(-1)?.kind === 'none';
    case 'not':
      return node.node.kind === 'none';
    default:
      return false;
  }
}

function lookupOf(node: FilterNode, occupancy: Occupancy): Lookup | undefined {
  if (node.kind === 'exact' || node.kind === 'prefix' || node.kind === 'suffix') {
    const short = node.kind !== 'exact' && node.value.length < shortValueLength ? shortValueCost : 0;
    return { atoms: [node], complete: true, cost: occupancy(node) + short + (node.kind === 'exact' ? 0 : 0.5) };
  }
  if (node.kind !== 'any') return undefined;
  const atoms: AtomNode[] = [];
  let cost = 0;
  let complete = true;
  for (const child of node.nodes) {
    const access = chooseAccess(child, occupancy);
    if (access.kind !== 'atoms') return undefined;
    atoms.push(...access.atoms);
    complete &&= access.rest.length === 0;
    for (const atom of access.atoms) cost += occupancy(atom);
  }
  return { atoms, complete, cost: cost + node.nodes.length };
}
