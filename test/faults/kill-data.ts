/** What the event of this number carries, so that a delivery can be checked. */
export function dataOf(n: number): string {
  return `${n}:${'x'.repeat((n * 37) % 600)}`;
}
