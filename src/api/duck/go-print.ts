import type { Destination, KReference } from './destination.ts';

/**
 * A destination as Go prints the struct in messages (`%v`). `position` tells apart what Go tells apart by address: upstream sorts its
 * messages, and puts equal ones on one line.
 */
export function printDestination({ ref, uri, CACerts, audience }: Destination, position: number): string {
  const fields = [printReference(ref), uri ?? '', printPointer(CACerts, position), printPointer(audience, position)];
  return `{${fields.join(' ')}}`;
}

/** A pointer in a printed struct: only whether there is a value can be seen. */
export function printPointer(value: unknown, position: number): string {
  return value === undefined ? '<nil>' : `0xc${position.toString(16).padStart(9, '0')}`;
}

function printReference(ref: KReference | undefined): string {
  if (ref === undefined) return '<nil>';
  const { kind = '', namespace = '', name = '', apiVersion = '', group = '', address = '' } = ref;
  return `Kind = ${kind}, Namespace = ${namespace}, Name = ${name}, APIVersion = ${apiVersion}, Group = ${group}, Address = ${address}`;
}
