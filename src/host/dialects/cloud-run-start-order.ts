import { listAt, textAt, type JsonObject } from './json-path.ts';

/**
 * The order in which the containers of an instance start, when `run.googleapis.com/container-dependencies` gives one: each after
 * those that it depends on, else as they are written. Circles keep the written order.
 */
export function startOrder(document: JsonObject): readonly string[] | undefined {
  const text = textAt(document, 'spec', 'template', 'metadata', 'annotations', 'run.googleapis.com/container-dependencies');
  const dependencies = text === undefined ? undefined : parseJson(text);
  if (dependencies === undefined) return undefined;
  const names = listAt(document, 'spec', 'template', 'spec', 'containers').map((container) => textAt(container, 'name') ?? '');
  const order: string[] = [];
  const visiting = new Set<string>();
  const visit = (name: string): void => {
    if (order.includes(name) || visiting.has(name)) return;
    visiting.add(name);
    for (const needed of listAt(dependencies, name)) if (typeof needed === 'string' && names.includes(needed)) visit(needed);
    order.push(name);
  };
  names.forEach(visit);
  return order;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
