import { addToBucket, bucketSize, removeFromBucket, type Bucket } from './matcher-slots.ts';

class TrieNode {
  /** The characters between the parent and this node, in walking order. */
  label: string;
  bucket: Bucket | undefined = undefined;
  /** Children by their first character; a list while there are few. */
  children: TrieNode[] | Map<number, TrieNode> | undefined = undefined;

  constructor(label: string) {
    this.label = label;
  }
}

const listedChildrenMax = 12;

/**
 * A compressed trie from prefixes (or suffixes, walked from the end) to buckets of slots: one walk over a value finds the buckets of
 * all prefixes that it has.
 */
export class AffixTrie {
  readonly #root = new TrieNode('');
  readonly #fromEnd: boolean;
  #size = 0;

  constructor(fromEnd: boolean) {
    this.#fromEnd = fromEnd;
  }

  /** Number of different affixes. */
  get size(): number {
    return this.#size;
  }

  /** How many slots are filed under exactly this affix. */
  count(affix: string): number {
    const path = this.#toward(affix);
    return path === undefined ? 0 : bucketSize(path.bucket);
  }

  add(affix: string, slot: number): void {
    const node = this.#insert(this.#fromEnd ? reversed(affix) : affix);
    if (node.bucket === undefined) this.#size++;
    node.bucket = addToBucket(node.bucket, slot);
  }

  remove(affix: string, slot: number): void {
    const key = this.#fromEnd ? reversed(affix) : affix;
    const path: TrieNode[] = [this.#root];
    let node = this.#root;
    for (let at = 0; at < key.length; at += node.label.length) {
      const child = childOf(node, key.charCodeAt(at));
      if (child === undefined || !key.startsWith(child.label, at)) return;
      path.push(child);
      node = child;
    }
    if (node.bucket === undefined) return;
    node.bucket = removeFromBucket(node.bucket, slot);
    if (node.bucket !== undefined) return;
    this.#size--;
    prune(path);
  }

  /** Appends the buckets of all affixes of `value` to `hits`. */
  collect(value: string, hits: Bucket[]): void {
    const step = this.#fromEnd ? -1 : 1;
    const end = this.#fromEnd ? -1 : value.length;
    let at = this.#fromEnd ? value.length - 1 : 0;
    let node: TrieNode | undefined = this.#root;
    while (at !== end) {
      node = childOf(node, value.charCodeAt(at));
      if (node === undefined) return;
      const { label } = node;
      at += step;
      for (let index = 1; index < label.length; index++, at += step) {
        if (at === end || value.charCodeAt(at) !== label.charCodeAt(index)) return;
      }
      if (node.bucket !== undefined) hits.push(node.bucket);
    }
  }

  #toward(affix: string): TrieNode | undefined {
    const key = this.#fromEnd ? reversed(affix) : affix;
    let node = this.#root;
    for (let at = 0; at < key.length; at += node.label.length) {
      const child = childOf(node, key.charCodeAt(at));
      if (child === undefined || !key.startsWith(child.label, at)) return undefined;
      node = child;
    }
    return node;
  }

  #insert(key: string): TrieNode {
    let node = this.#root;
    let at = 0;
    while (at < key.length) {
      const child = childOf(node, key.charCodeAt(at));
      if (child === undefined) {
        const leaf = new TrieNode(key.slice(at));
        putChild(node, leaf);
        return leaf;
      }
      const shared = sharedLength(child.label, key, at);
      if (shared < child.label.length) split(child, shared);
      node = child;
      at += shared;
    }
    return node;
  }
}

function childOf(node: TrieNode, code: number): TrieNode | undefined {
  const { children } = node;
  if (children === undefined) return undefined;
  if (children instanceof Map) return children.get(code);
  for (let index = 0; index < children.length; index++) {
    const child = children[index];
    if (child !== undefined && child.label.charCodeAt(0) === code) return child;
  }
  return undefined;
}

function putChild(node: TrieNode, child: TrieNode): void {
  const { children } = node;
  if (children === undefined) node.children = [child];
  else if (children instanceof Map) children.set(child.label.charCodeAt(0), child);
  else {
    children.push(child);
    if (children.length > listedChildrenMax) node.children = new Map(children.map((each) => [each.label.charCodeAt(0), each]));
  }
}

/** Cuts a node's label in two: the node keeps the first part, a new child takes over the rest with everything below. */
function split(node: TrieNode, length: number): void {
  const lower = new TrieNode(node.label.slice(length));
  lower.bucket = node.bucket;
  lower.children = node.children;
  node.label = node.label.slice(0, length);
  node.bucket = undefined;
  node.children = [lower];
}

// Takes the last node of the path out when nothing hangs on it, and joins a parent that is left with one child and no bucket.
function prune(path: TrieNode[]): void {
  const node = path.pop();
  const parent = path.at(-1);
  if (node === undefined || parent === undefined) return;
  if (node.children === undefined) {
    dropChild(parent, node);
    if (path.length > 1 && parent.bucket === undefined) join(parent);
  } else join(node);
}

function dropChild(parent: TrieNode, node: TrieNode): void {
  const { children } = parent;
  if (children instanceof Map) {
    children.delete(node.label.charCodeAt(0));
    if (children.size === 0) parent.children = undefined;
  } else if (children !== undefined) {
    const index = children.indexOf(node);
    const last = children.pop();
    if (last !== undefined && last !== node) children[index] = last;
    if (children.length === 0) parent.children = undefined;
  }
}

function join(node: TrieNode): void {
  if (node.bucket !== undefined || node.children === undefined) return;
  const [only, second] = node.children instanceof Map ? node.children.values() : node.children;
  if (only === undefined || second !== undefined) return;
  node.label += only.label;
  node.bucket = only.bucket;
  node.children = only.children;
}

function sharedLength(label: string, key: string, at: number): number {
  const limit = Math.min(label.length, key.length - at);
  let length = 0;
  while (length < limit && label.charCodeAt(length) === key.charCodeAt(at + length)) length++;
  return length;
}

// By code unit, as the walk reads them: a surrogate pair is turned round too.
function reversed(text: string): string {
  let result = '';
  for (let at = text.length - 1; at >= 0; at--) result += text[at] ?? '';
  return result;
}
