import { describe, expect, test } from 'vitest';
import { ManifestFolder, type FolderDocument } from '../../src/host/manifest-folder.ts';

/** A folder whose documents are lines `name=content`; `!` cannot be parsed, content `bad` is refused. */
function folder() {
  const files = new Map<string, string>();
  const log: string[] = [];
  const manifests = new ManifestFolder({
    read: async () => [...files].map(([file, text]) => ({ file, text })),
    parse: async (file, text) => {
      const lines = text.split('\n');
      const documents = lines.flatMap((line, index): FolderDocument[] => {
        const [identity = '', content = ''] = line.split('=');
        return line.startsWith('!')
          ? []
          : [{ file, locate: () => ({ line: index + 1, column: 1 }), identity, content, fingerprint: content }];
      });
      return { documents, problems: lines.some((line) => line.startsWith('!')) ? [{ file, message: `${file}: broken` }] : [] };
    },
    apply: async ({ identity, content }) => {
      if (content === 'bad') throw new Error('refused');
      log.push(`${identity}=${String(content)}`);
    },
    remove: async ({ identity }) => void log.push(`remove ${identity}`),
    settled: async ({ identity }) => void log.push(`settled ${identity}`),
  });
  return {
    files,
    async sync(): Promise<{ log: string[]; problems: string[] }> {
      const { problems } = await manifests.sync();
      return { log: log.splice(0), problems: problems.map(({ message }) => message) };
    },
  };
}

describe('a folder of manifests', () => {
  test('applies documents in order, a second one for the same object after the first has settled', async () => {
    const { files, sync } = folder();
    files.set('a', 'x=1\nx=2\ny=1');
    expect((await sync()).log).toEqual(['x=1', 'settled x', 'x=2', 'y=1']);
    expect((await sync()).log).toEqual([]);
  });

  test('applies only what changed, and what must hold after it', async () => {
    const { files, sync } = folder();
    files.set('a', 'x=1\nx=2\ny=1');
    await sync();
    files.set('a', 'x=1\nx=3\ny=1');
    expect((await sync()).log).toEqual(['settled x', 'x=3']);
    files.set('a', 'x=9\nx=3\ny=1');
    expect((await sync()).log).toEqual(['x=9', 'settled x', 'x=3']);
  });

  test('removes what no document describes any more', async () => {
    const { files, sync } = folder();
    files.set('a', 'x=1\ny=1');
    files.set('b', 'z=1');
    await sync();
    files.set('a', 'y=1');
    files.delete('b');
    expect((await sync()).log.sort()).toEqual(['remove x', 'remove z']);
  });

  test('one bad document or file leaves the rest running and takes nothing away', async () => {
    const { files, sync } = folder();
    files.set('a', 'x=1');
    files.set('b', 'y=bad\nz=1');
    expect(await sync()).toEqual({ log: ['x=1', 'z=1'], problems: ['b:1:1: y: refused'] });
    files.set('a', '!\nw=1');
    files.set('b', 'y=1\nz=bad');
    expect(await sync()).toEqual({ log: ['w=1', 'y=1'], problems: ['a: broken', 'b:2:1: z: refused'] });
    files.set('a', 'x=1\nw=1');
    files.set('b', 'y=1\nz=1');
    expect((await sync()).log).toContain('z=1');
  });
});
