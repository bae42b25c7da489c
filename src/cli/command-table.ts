import type { Command } from './command.ts';

/** The subcommands: name and summary stand here, so that listing them loads none of them. */
export const commandTable: readonly { name: string; summary: string; load: () => Promise<{ command: Command }> }[] = [
  { name: 'dev', summary: 'Run a folder of manifests on this machine and watch it', load: () => import('./commands/dev.ts') },
  { name: 'run', summary: 'Run a function', load: () => import('./commands/run.ts') },
  { name: 'new', summary: 'Make a project', load: () => import('./commands/new.ts') },
  { name: 'send', summary: 'Send CloudEvents to a function, a broker or any address', load: () => import('./commands/send.ts') },
  {
    name: 'events',
    summary: 'Look into the brokers of a running host: lag, dead letters, replay, what became of an event',
    load: () => import('./commands/events.ts'),
  },
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
  { name: 'filter', summary: 'Say which Triggers would get an event, and why', load: () => import('./commands/filter.ts') },
  {
    name: 'cesql',
    summary: 'Evaluate a CESQL expression for an event, with the value of each part',
    load: () => import('./commands/cesql.ts'),
  },
  {
    name: 'simulate',
    summary: 'Try an autoscaling policy on a load, in virtual time',
    load: () => import('./commands/simulate.ts'),
  },
];
