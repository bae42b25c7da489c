/**
 * Who wants to know about what. A token names a thing that can change (an object, the objects of an owner or label, a kind, a
 * fact); a key is a reconciler's object. After each pass the key's tokens are replaced by what that pass has read.
 */
export class Tracker {
  readonly #keysOfToken = new Map<string, Set<string>>();
  readonly #tokensOfKey = new Map<string, ReadonlySet<string>>();
  readonly #onUntracked: (token: string) => void;

  /** `onUntracked` is called for a token that no key tracks any more. */
  constructor(onUntracked: (token: string) => void = () => undefined) {
    this.#onUntracked = onUntracked;
  }

  /** Makes `tokens` the complete watch set of `key`; an empty set forgets the key. */
  track(key: string, tokens: ReadonlySet<string>): void {
    const previous = this.#tokensOfKey.get(key);
    for (const token of tokens) {
      if (previous?.has(token)) continue;
      let keys = this.#keysOfToken.get(token);
      if (keys === undefined) this.#keysOfToken.set(token, (keys = new Set()));
      keys.add(key);
    }
    if (previous !== undefined) {
      for (const token of previous) if (!tokens.has(token)) this.#drop(token, key);
    }
    if (tokens.size === 0) this.#tokensOfKey.delete(key);
    else this.#tokensOfKey.set(key, tokens);
  }

  #drop(token: string, key: string): void {
    const keys = this.#keysOfToken.get(token);
    keys?.delete(key);
    if (keys?.size === 0) {
      this.#keysOfToken.delete(token);
      this.#onUntracked(token);
    }
  }

  /** The keys that track a token. */
  keysOf(token: string): ReadonlySet<string> | undefined {
    return this.#keysOfToken.get(token);
  }
}
