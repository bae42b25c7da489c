import type { EngineProgram } from './image-map.ts';
import type { Launch } from './launcher.ts';

/** Name of the container, so that it can be removed should the engine's client be killed. */
export function engineContainerName(launch: Pick<Launch, 'podName' | 'container'>): string {
  return `${launch.podName}-${launch.container.name}`;
}

/**
 * Arguments of a container engine's `run` for one container: its serving port published on a loopback port, environment, user,
 * memory limit and mounts as asked, nothing attached but the output.
 */
export function engineRunArguments(launch: Launch<EngineProgram>, port: number | undefined): string[] {
  const { container, program, env, resolvePath } = launch;
  const containerPort = container.ports?.[0]?.containerPort ?? 8080;
  const [entrypoint, ...commandRest] = container.command ?? [];
  const { runAsUser, runAsGroup } = container.securityContext ?? {};
  const mounts = (container.volumeMounts ?? []).map(
    ({ mountPath, readOnly }) => `${resolvePath(mountPath)}:${mountPath}${readOnly === true ? ':ro' : ''}`,
  );
  const variables = { ...env, ...(port === undefined ? {} : { PORT: String(containerPort) }) };
  return [
    'run',
    '--rm',
    `--name=${engineContainerName(launch)}`,
    ...(port === undefined ? [] : [`--publish=127.0.0.1:${port}:${containerPort}`]),
    ...Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`),
    ...(container.workingDir === undefined || container.workingDir === '' ? [] : [`--workdir=${container.workingDir}`]),
    ...(runAsUser === undefined ? [] : [`--user=${runAsUser}${runAsGroup === undefined ? '' : `:${runAsGroup}`}`]),
    ...(container.limits?.memoryBytes === undefined ? [] : [`--memory=${container.limits.memoryBytes}`]),
    ...mounts.map((mount) => `--volume=${mount}`),
    ...(entrypoint === undefined ? [] : [`--entrypoint=${entrypoint}`]),
    ...program.runArgs,
    program.image,
    ...commandRest,
    ...(container.args ?? []),
  ];
}
