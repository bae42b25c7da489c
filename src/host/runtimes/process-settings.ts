import type { Launch, LaunchEvents } from './launcher.ts';
import type { PortAllocator, PortLease } from './ports.ts';
import type { ContainerSpec } from './runtime.ts';

/** Where a container's process runs: its workingDir as a path of this machine, else the program's folder. */
export function workingDirOf(launch: Launch, programDir: string): string {
  const { workingDir } = launch.container;
  return workingDir === undefined || workingDir === '' ? programDir : launch.resolvePath(workingDir);
}

/**
 * The user to change to: the container's, else the image's; `undefined` to stay who the host is. The group is the user's number
 * unless given: root's group, which containers get, would open files of the host.
 */
export function userOf(
  container: Pick<ContainerSpec, 'securityContext'>,
  imageUser: { readonly uid: number; readonly gid: number } | undefined,
  events: Pick<LaunchEvents, 'note'>,
): { readonly uid: number; readonly gid: number } | undefined {
  const { runAsUser, runAsGroup } = container.securityContext ?? {};
  const wanted = runAsUser === undefined ? imageUser : { uid: runAsUser, gid: runAsGroup ?? runAsUser };
  const own = process.getuid?.();
  if (wanted === undefined || wanted.uid === own) return undefined;
  if (own === 0) return wanted;
  events.note(`runs as user ${own ?? 'of the host'}, not ${wanted.uid}: the host may not change user`);
  return undefined;
}

/** The containerPort itself where only this instance needs it and it is free, else any port, noted as a deviation. */
export async function leaseLiteralPort(
  ports: PortAllocator,
  containerPort: number | undefined,
  events: Pick<LaunchEvents, 'note'>,
): Promise<PortLease | undefined> {
  const lease = await ports.lease(containerPort);
  if (lease !== undefined && lease.port !== containerPort) {
    events.note(`PORT is ${lease.port}: containerPort ${containerPort} is in use on this machine`);
  }
  return lease;
}
