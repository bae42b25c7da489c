import type { EventMessage } from '../cloudevents/event-message.ts';
import { evaluateNode, fail, type FilterNode } from './filters/filter-node.ts';

/** A part of filters that several triggers share: evaluated once per event. */
class SharedTest {
  readonly kind = 'shared';
  readonly node: FilterNode;
  readonly key: string;
  references = 0;
  /** The event (by number) that `holds` is about. */
  epoch = -1;
  holds = false;

  constructor(node: FilterNode, key: string) {
    this.node = node;
    this.key = key;
  }
}

/** What must hold of an event besides the look-up that found a trigger. */
export type RestTest = FilterNode | SharedTest;

/** True when the event meets the test. `epoch` numbers the event, so that shared tests are evaluated once for it. */
export function meets(test: RestTest, event: EventMessage, epoch: number): boolean {
  if (test.kind !== 'shared') return evaluateNode(test, event) !== fail;
  if (test.epoch !== epoch) {
    test.epoch = epoch;
    test.holds = evaluateNode(test.node, event) !== fail;
  }
  return test.holds;
}

/** Keeps one test for each different part of filters. */
export class TestTable {
  readonly #shared = new Map<string, SharedTest>();

  /** Comparing one attribute is as quick as asking whether it has been compared already, so only larger parts are shared. */
  acquire(node: FilterNode): RestTest {
    if (node.kind !== 'cesql' && node.kind !== 'any' && node.kind !== 'not') return node;
    const key = nodeKey(node);
    let test = this.#shared.get(key);
    if (test === undefined) {
      test = new SharedTest(node, key);
      this.#shared.set(key, test);
    }
    test.references++;
    return test;
  }

  release(test: RestTest): void {
    if (test.kind !== 'shared' || --test.references > 0) return;
    this.#shared.delete(test.key);
  }
}

// Two nodes with the same key evaluate alike. Lengths make the texts unambiguous.
function nodeKey(node: FilterNode): string {
  switch (node.kind) {
    case 'exact':
    case 'prefix':
    case 'suffix':
      return `${node.kind}${node.attribute.length}:${node.attribute}${node.value.length}:${node.value}`;
    case 'present':
    case 'text':
      return `${node.kind}${node.attribute.length}:${node.attribute}`;
    case 'cesql':
      return `cesql${node.test.text.length}:${node.test.text}`;
    case 'not':
      return `not(${nodeKey(node.node)})`;
    case 'all':
    case 'any':
      return `${node.kind}(${node.nodes.map(nodeKey).join()})`;
    default:
      return node.kind;
  }
}
