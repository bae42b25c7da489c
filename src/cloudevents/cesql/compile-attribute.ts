import type { AttributeValue } from '../event-message.ts';
import type { AttributeNode, CesqlValue, ExistsNode } from './ast.ts';
import { fail } from './failure.ts';
import type { Get } from './getter.ts';

/** Attributes of the specification, which are text when they are there. */
export function isTextAttribute(name: string): boolean {
  switch (name) {
    case 'type':
    case 'source':
    case 'id':
    case 'specversion':
    case 'subject':
    case 'time':
    case 'datacontenttype':
    case 'dataschema':
      return true;
    default:
      return false;
  }
}

/** The value of an attribute as it is, or a missing-attribute error. */
export function attributeValue(node: AttributeNode): Get<CesqlValue> {
  const name = node.name;
  switch (name) {
    case 'type':
      return (event) => event.type;
    case 'source':
      return (event) => event.source;
    case 'id':
      return (event) => event.id;
    case 'specversion':
      return (event) => event.specversion;
    case 'subject':
      return (event) => event.subject ?? missing(node);
  }
  if (isTextAttribute(name)) return (event) => valueOf(event.attribute(name), node);
  return (event) => {
    const value = event.extension(name);
    return typeof value === 'string' ? value : valueOf(value, node);
  };
}

/** A missing attribute alone is false beside the error, whatever its type would be. */
function missing(node: AttributeNode): false {
  fail('missingAttribute', node, node.name);
  return false;
}

function valueOf(value: AttributeValue | undefined, node: AttributeNode): CesqlValue {
  if (value === undefined) return missing(node);
  return value instanceof Uint8Array ? Buffer.from(value.buffer, value.byteOffset, value.length).toString('base64') : value;
}

/** EXISTS, which never fails. */
export function exists(node: ExistsNode): Get<boolean> {
  const name = node.name;
  if (name === 'subject') return (event) => event.subject !== undefined;
  return isTextAttribute(name) ? (event) => event.attribute(name) !== undefined : (event) => event.extension(name) !== undefined;
}
