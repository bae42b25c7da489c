import type { ContainerSpec } from './runtime.ts';

/** Turns paths of the image into paths of this machine, by the longest alias that holds them. */
export function createPathResolver(
  aliases: Readonly<Record<string, string>>,
  container: Pick<ContainerSpec, 'volumeMounts'>,
  volumePath: (name: string) => string | undefined,
): (path: string) => string {
  const mounts = (container.volumeMounts ?? []).flatMap((mount) => {
    const base = volumePath(mount.name);
    if (base === undefined) return [];
    return [{ from: withoutSlash(mount.mountPath), to: mount.subPath === undefined ? base : `${base}/${mount.subPath}` }];
  });
  const rules = [...Object.entries(aliases).map(([from, to]) => ({ from: withoutSlash(from), to })), ...mounts];
  rules.sort((a, b) => b.from.length - a.from.length);
  return (path) => {
    const rule = rules.find(({ from }) => path === from || path.startsWith(`${from}/`));
    return rule === undefined ? path : `${rule.to}${path.slice(rule.from.length)}`;
  };
}

/** An argument with its path resolved: a path, or the value of `--name=path`. */
export function resolveArgument(argument: string, resolve: (path: string) => string): string {
  if (argument.startsWith('/')) return resolve(argument);
  const match = /^(--?[\w.-]+=)(\/.*)$/.exec(argument);
  return match?.[1] === undefined || match[2] === undefined ? argument : match[1] + resolve(match[2]);
}

/** Environment values that are absolute paths, resolved. */
export function resolveEnvironment(
  env: Readonly<Record<string, string>>,
  resolve: (path: string) => string,
): Record<string, string> {
  return Object.fromEntries(Object.entries(env).map(([name, value]) => [name, value.startsWith('/') ? resolve(value) : value]));
}

function withoutSlash(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
