import type { Command } from './command.ts';

/** The subcommands: name and summary stand here, so that listing them loads none of them. */
export const commandTable: readonly { name: string; summary: string; load: () => Promise<{ command: Command }> }[] = [
  { name: 'dev', summary: 'Run a folder of manifests on this machine and watch it', load: () => import('./commands/dev.ts') },
  {
    name: 'validate',
    summary: 'Check manifests as Knative admits them, without applying anything',
    load: () => import('./commands/validate.ts'),
  },
  {
    name: 'convert',
    summary: "Turn another platform's manifests into plain Knative",
    load: () => import('./commands/convert.ts'),
  },
  {
    name: 'filter',
    summary: 'Say which Triggers would get an event, and why',
    load: () => import('./commands/filter.ts'),
  },
];
