import type { CesqlExplanation } from '../../cloudevents/cesql/explain.ts';
import { textOfAttribute, type EventMessage } from '../../cloudevents/index.ts';
import { evaluateNode, fail, noFilter, type FilterNode } from './filter-node.ts';

/** Why a filter passes an event or not. */
export interface FilterExplanation {
  readonly result: 'pass' | 'fail' | 'noFilter';
  /** One sentence; for `all`, `any` and `not` the one that decided. */
  readonly reason: string;
  readonly parts?: readonly FilterExplanation[];
  /** Of a CESQL filter: the value of each part of the expression. */
  readonly expression?: CesqlExplanation;
}

/** The result of a node in words, each part evaluated. */
export function explainNode(node: FilterNode, event: EventMessage): FilterExplanation {
  const value = evaluateNode(node, event);
  const result = value === fail ? 'fail' : value === noFilter ? 'noFilter' : 'pass';
  switch (node.kind) {
    case 'exact':
    case 'prefix':
    case 'suffix': {
      const relation = { exact: 'be', prefix: 'start with', suffix: 'end with' }[node.kind];
      const actual = node.read(event);
      const has = actual === undefined ? `${node.attribute} is missing` : `${node.attribute} is ${JSON.stringify(actual)}`;
      return { result, reason: result === 'pass' ? has : `${has}, must ${relation} ${JSON.stringify(node.value)}` };
    }
    case 'present': {
      const actual = node.read(event);
      const text = actual === undefined ? 'missing' : JSON.stringify(textOfAttribute(actual));
      return { result, reason: `${node.attribute} is ${text}${result === 'pass' ? '' : ', must have a value'}` };
    }
    case 'text':
      return {
        result,
        reason: `${node.attribute} is ${result === 'pass' ? 'text' : 'not text, which the legacy filter demands'}`,
      };
    case 'none':
      return { result, reason: 'there is no filter' };
    case 'pass':
      return { result, reason: 'the filter names no attribute' };
    case 'cesql':
      return { result, reason: `${node.test.text} ${node.test.describe(event)}`, expression: node.test.explain(event) };
    case 'not': {
      const part = explainNode(node.node, event);
      return { result, reason: `not: ${part.reason}`, parts: [part] };
    }
    case 'all':
    case 'any': {
      const parts = node.nodes.map((child) => explainNode(child, event));
      const decisive = parts.find((part) => part.result === (node.kind === 'all' ? 'fail' : 'pass'));
      const reason = decisive?.reason ?? parts.map((part) => part.reason).join(node.kind === 'all' ? ' and ' : '; ');
      return { result, reason, parts };
    }
  }
}
