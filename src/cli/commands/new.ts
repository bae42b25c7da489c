import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { KnativeError } from '../../errors.ts';
import { projectTemplates } from '../../functions/project-templates.ts';
import type { Command } from '../command.ts';

const names = Object.keys(projectTemplates).join(', ');

export const command: Command = {
  name: 'new',
  summary: 'Make a project',
  usage: 'new function [FOLDER] [options]',
  help: `Writes a project with a function and its test into FOLDER (default the working directory), which must be empty or absent.

Options:
  --template NAME  ${names} (default http)
  --name NAME      name of the project (default the folder's)
  -h, --help       this text

Then: npm install, npm test, npm start.

Example:
  knative-embed new function orders --template typescript`,
  options: { template: { type: 'string' }, name: { type: 'string' } },
  async run(context) {
    const [what, path = '.'] = context.positionals;
    if (what !== 'function' || context.positionals.length > 2) {
      context.printError('knative-embed new: say `new function [FOLDER]`');
      return 2;
    }
    const template = context.options['template'] ?? 'http';
    if (typeof template !== 'string' || !Object.hasOwn(projectTemplates, template)) {
      throw new KnativeError('CLI_OPTION_INVALID', `there is no template ${JSON.stringify(template)}`, {
        path: '--template',
        hint: `choose one of ${names}`,
      });
    }
    const folder = resolve(path);
    await mkdir(folder, { recursive: true });
    if ((await readdir(folder)).some((name) => name !== '.git')) {
      throw new KnativeError('CLI_FOLDER_NOT_EMPTY', `${path} is not empty`, { path, hint: 'give a new folder' });
    }
    const name = typeof context.options['name'] === 'string' ? context.options['name'] : basename(folder);
    const files = projectTemplates[template as keyof typeof projectTemplates](name.toLowerCase().replace(/[^a-z0-9-]+/g, '-'));
    for (const [file, text] of Object.entries(files)) {
      await mkdir(dirname(join(folder, file)), { recursive: true });
      await writeFile(join(folder, file), text);
      context.print(`wrote ${file}`);
    }
    context.print(`next: ${path === '.' ? '' : `cd ${path} && `}npm install && npm test && npm start`);
    return 0;
  },
};
