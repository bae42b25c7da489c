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
const noRest: readonly FilterNode[] = [];
// A very short prefix or suffix is shared by many values even while few filters name it.
const shortValueLength = 3;
const shortValueCost = 8;

/** Chooses the look-up that finds a filter with the fewest false hits. */
export function chooseAccess(node: FilterNode, occupancy: Occupancy): Access {
  if (isAtom(node)) return { kind: 'atoms', atoms: [node], rest: noRest };
  const conjuncts: FilterNode[] = [];
  collectConjuncts(node, conjuncts);
  const [first] = conjuncts;
  if (first === undefined) return always;
  if (conjuncts.length === 1) {
    if (isAtom(first)) return { kind: 'atoms', atoms: [first], rest: noRest };
    if (first.kind === 'not' && first.node.kind === 'exact') return { kind: 'unless', not: first, atom: first.node };
  }
  const best = bestLookup(conjuncts, occupancy);
  if (best === undefined) return { kind: 'scan', rest: conjuncts };
  const rest = best.isComplete ? conjuncts.filter((conjunct) => conjunct !== best.of) : conjuncts;
  return { kind: 'atoms', atoms: best.atoms, rest };
}

interface Lookup {
  readonly of: FilterNode;
  readonly atoms: readonly AtomNode[];
  /** True when the look-up says all that the node says. */
  readonly isComplete: boolean;
}

// How full the look-ups are is asked only when there is a choice.
function bestLookup(conjuncts: readonly FilterNode[], occupancy: Occupancy): Lookup | undefined {
  let best: Lookup | undefined;
  let bestCost = -1;
  for (const conjunct of conjuncts) {
    const lookup = lookupOf(conjunct, occupancy);
    if (lookup === undefined) continue;
    if (best === undefined) {
      best = lookup;
      continue;
    }
    if (bestCost < 0) bestCost = costOf(best.atoms, occupancy);
    const cost = costOf(lookup.atoms, occupancy);
    if (cost >= bestCost) continue;
    best = lookup;
    bestCost = cost;
  }
  return best;
}

function costOf(atoms: readonly AtomNode[], occupancy: Occupancy): number {
  let cost = atoms.length - 1;
  for (const atom of atoms) {
    cost += occupancy(atom);
    if (atom.kind !== 'exact') cost += atom.value.length < shortValueLength ? shortValueCost : 0.5;
  }
  return cost;
}

function isAtom(node: FilterNode): node is AtomNode {
  return node.kind === 'exact' || node.kind === 'prefix' || node.kind === 'suffix';
}

function lookupOf(node: FilterNode, occupancy: Occupancy): Lookup | undefined {
  if (isAtom(node)) return { of: node, atoms: [node], isComplete: true };
  if (node.kind !== 'any') return undefined;
  const atoms: AtomNode[] = [];
  let isComplete = true;
  for (const child of node.nodes) {
    const access = chooseAccess(child, occupancy);
    if (access.kind !== 'atoms') return undefined;
    atoms.push(...access.atoms);
    isComplete &&= access.rest.length === 0;
  }
  return { of: node, atoms, isComplete };
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
