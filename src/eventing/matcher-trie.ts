import { addToBucket, bucketSize, removeFromBucket, type Bucket, type Hits } from './matcher-slots.ts';

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
    let node: TrieNode | undefined = this.#root;
    for (let at = 0; at < affix.length; at += node.label.length) {
      node = this.#step(node, affix, at);
      if (node === undefined) return 0;
    }
    return bucketSize(node.bucket);
  }

  add(affix: string, slot: number): void {
    const node = this.#insert(affix);
    if (node.bucket === undefined) this.#size++;
    node.bucket = addToBucket(node.bucket, slot);
  }

  remove(affix: string, slot: number): void {
    let grandparent: TrieNode | undefined;
    let parent: TrieNode | undefined;
    let node = this.#root;
    for (let at = 0; at < affix.length; at += node.label.length) {
      const child = this.#step(node, affix, at);
      if (child === undefined) return;
      grandparent = parent;
      parent = node;
      node = child;
    }
    if (node.bucket === undefined) return;
    node.bucket = removeFromBucket(node.bucket, slot);
    if (node.bucket !== undefined) return;
    this.#size--;
    if (parent !== undefined) prune(node, parent, grandparent === undefined);
  }

  /** Appends the buckets of all affixes of `value` to `hits`. */
  collect(value: string, hits: Hits): void {
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

  /** The child that stands on the way to `key`, whose first `at` characters lead to `node`. */
  #step(node: TrieNode, key: string, at: number): TrieNode | undefined {
    const child = childOf(node, this.#code(key, at));
    return child !== undefined && this.#shared(child.label, key, at) === child.label.length ? child : undefined;
  }

  #insert(key: string): TrieNode {
    let node = this.#root;
    let at = 0;
    while (at < key.length) {
      const child = childOf(node, this.#code(key, at));
      if (child === undefined) {
        const leaf = new TrieNode(this.#fromEnd ? reversed(key, key.length - at) : key.slice(at));
        putChild(node, leaf);
        return leaf;
      }
      const shared = this.#shared(child.label, key, at);
      if (shared < child.label.length) split(child, shared);
      node = child;
      at += shared;
    }
    return node;
  }

  #code(key: string, at: number): number {
    return key.charCodeAt(this.#fromEnd ? key.length - 1 - at : at);
  }

  /** How many characters of a label the key goes along with, from its character `at` on. */
  #shared(label: string, key: string, at: number): number {
    const limit = Math.min(label.length, key.length - at);
    let length = 1;
    while (length < limit && label.charCodeAt(length) === this.#code(key, at + length)) length++;
    return length;
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

// Takes a node out when nothing hangs on it, and joins a parent that is left with one child and no bucket.
function prune(node: TrieNode, parent: TrieNode, parentIsRoot: boolean): void {
  if (node.children !== undefined) join(node);
  else {
    dropChild(parent, node);
    if (!parentIsRoot) join(parent);
  }
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

// By code unit, as the walk reads them: a surrogate pair is turned round too.
function reversed(text: string, length: number): string {
  let result = '';
  for (let at = length - 1; at >= 0; at--) result += text[at] ?? '';
  return result;
}
