/** The URL of an entry module of this folder: beside this file in the sources, under functions/ in a build, whatever chunk this code is in. */
export function entryUrl(name: string): URL {
  const { existsSync } = process.getBuiltinModule('node:fs');
  const here = new URL(import.meta.url);
  const extension = here.pathname.endsWith('.ts') ? '.ts' : '.js';
  const candidates = [`./${name}${extension}`, `./functions/${name}${extension}`, `../functions/${name}${extension}`];
  for (const candidate of candidates) {
    const url = new URL(candidate, here);
    if (existsSync(url)) return url;
  }
  return new URL(`./${name}${extension}`, here);
}
