import { describe, expect, it } from 'vitest';
import { createVirtualClock } from '../../src/clock.ts';
import { StartPrecedence } from '../../src/host/start-precedence.ts';

describe('precedence of the first request over bookkeeping', () => {
  it('lets only what brings an instance about run until there is one, then nothing until the answer', async () => {
    const precedence = new StartPrecedence(createVirtualClock());
    expect(precedence.before('revision')).toBeUndefined();
    precedence.requested('default/hello');
    const until = precedence.before('revision');
    expect(until).toBeInstanceOf(Promise);
    expect(precedence.before('kpa-class-podautoscaler')).toBeUndefined();
    expect(precedence.before('deployment')).toBeUndefined();
    precedence.ready('default/hello');
    expect(precedence.before('deployment')).toBe(until);
    precedence.answered('default/hello');
    await until;
    expect(precedence.before('revision')).toBeUndefined();
  });

  it('lasts until the last of several starts has answered', () => {
    const precedence = new StartPrecedence(createVirtualClock());
    precedence.requested('default/a');
    precedence.requested('default/b');
    precedence.ready('default/a');
    // `b` still needs its instance.
    expect(precedence.before('deployment')).toBeUndefined();
    precedence.answered('default/a');
    expect(precedence.before('revision')).toBeInstanceOf(Promise);
    precedence.answered('default/b');
    expect(precedence.before('revision')).toBeUndefined();
  });

  it('leaves reconcilers half of the time when one start follows the other', () => {
    const clock = createVirtualClock();
    const precedence = new StartPrecedence(clock);
    precedence.requested('default/a');
    clock.advanceSync(10);
    precedence.answered('default/a');
    precedence.requested('default/b');
    expect(precedence.before('revision')).toBeUndefined();
    clock.advanceSync(10);
    precedence.requested('default/c');
    expect(precedence.before('revision')).toBeInstanceOf(Promise);
  });

  it('gives reconcilers their turn after 25 ms, and as long again before the next start may hold them', async () => {
    const clock = createVirtualClock();
    const precedence = new StartPrecedence(clock);
    precedence.requested('default/slow');
    const until = precedence.before('revision');
    clock.advanceSync(25);
    await until;
    expect(precedence.before('revision')).toBeUndefined();
    precedence.requested('default/next');
    expect(precedence.before('revision')).toBeUndefined();
    clock.advanceSync(25);
    precedence.requested('default/third');
    expect(precedence.before('revision')).toBeInstanceOf(Promise);
  });
});
