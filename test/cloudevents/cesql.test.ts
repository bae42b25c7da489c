import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  atomMatches,
  atomOf,
  CesqlFault,
  compileCesql,
  compileCesqlNode,
  compileLike,
  conjunctsOf,
  EventMessage,
  explainCesql,
  formatExplanation,
  FunctionTable,
  operandsOf,
  parseCesql,
  type CesqlExpression,
  type CesqlFunction,
  type CesqlNode,
  type CesqlOptions,
} from '../../src/cloudevents/index.ts';

const event = new EventMessage({
  id: 'A-17',
  source: '/orders/eu/1',
  type: 'com.example.order.created',
  subject: 'Grüße 😀',
  extensions: ['hops', 5, 'urgent', true, 'region', 'eu', 'ttl', '12', 'hash', new Uint8Array([1, 2, 3])],
});

function compiled(text: string, options?: CesqlOptions): CesqlExpression {
  const expression = compileCesql(text, options);
  if (expression instanceof CesqlFault) throw expression.toError();
  return expression;
}

function faultOf(text: string): CesqlFault {
  const expression = compileCesql(text);
  if (!(expression instanceof CesqlFault)) throw new Error(`${text} parses`);
  return expression;
}

describe('faults', () => {
  it.each([
    ['type ==', 6, 7],
    ["type = 'x", 7, 9],
    ['!TRUE', 0, 1],
    ['a.b', 1, 2],
    ['TRUE AND', 8, 8],
    ["'a' IN ()", 0, 9],
    ['x LIKE 123', 7, 10],
    ['99999999999', 0, 11],
    ['(1', 2, 2],
    ['IS_INT', 6, 6],
    ['EXISTS 5', 7, 8],
  ])('of parsing %s name the position', (text, position, end) => {
    expect(faultOf(text)).toMatchObject({ kind: 'parse', position, end });
    expect(faultOf(text).message).toContain(`at ${position}`);
    expect(faultOf(text).toError()).toMatchObject({ code: 'CLOUDEVENTS_CESQL_PARSE', status: 400 });
  });

  it.each([
    ['missing', 'missingAttribute', 0, false],
    ['1 + missing', 'missingAttribute', 4, 0],
    ['1 / 0 + 5', 'math', 0, 0],
    ["5 + 'x'", 'cast', 4, 0],
    ['NOFN(1)', 'missingFunction', 0, false],
    ["LEFT('abc', -1)", 'functionEvaluation', 0, 'abc'],
    ["'x' + missing", 'missingAttribute', 6, 0],
    ["'x' < missing", 'missingAttribute', 6, false],
  ])('of evaluating %s name the kind and the position', (text, kind, position, value) => {
    const result = compiled(text).evaluate(event);
    expect(result).toMatchObject({ value, error: { kind, position } });
    expect(compiled('TRUE').evaluate(event)).toEqual({ value: true, error: undefined });
  });
});

describe('as a filter', () => {
  it.each([
    ['urgent', true],
    ['hops', false],
    ["'true'", false],
    ['missing', false],
    ['NOT EXISTS missing', true],
    ['1 / 0 = 0 OR TRUE', false],
    ["hash = 'AQID'", true],
    ["subject LIKE '%_'", true],
  ])('%s passes: %s', (text, passes) => {
    expect(compiled(text).matches(event)).toBe(passes);
  });
});

describe('as upstream', () => {
  it.each([
    ['FALSE AND FALSE OR TRUE', true, false],
    ["LENGTH('日本')", 2, 6],
    ["LEFT('日本語', 2)", '日本', '\ufffd\ufffd'],
    ["'😀x' LIKE '_x'", true, false],
  ])('%s is %j by the specification and %j', (text, specification, upstream) => {
    expect(compiled(text).evaluate(event).value).toBe(specification);
    expect(compiled(text, { as: 'upstream' }).evaluate(event).value).toBe(upstream);
  });
});

describe('functions of the user', () => {
  const functions = new FunctionTable<CesqlFunction>([
    { name: 'DOUBLE', parameters: ['integer'], returns: 'integer', run: ([n]) => Number(n) * 2 },
    { name: 'JOIN', parameters: ['string'], rest: 'any', returns: 'string', run: (args) => args.join('/') },
    { name: 'WRONG', parameters: [], returns: 'integer', run: () => 1.5 },
    {
      name: 'BREAKS',
      parameters: [],
      returns: 'string',
      run: () => {
        throw new Error('no');
      },
    },
    {
      name: 'NESTED',
      parameters: [],
      returns: 'boolean',
      run: (_, inner) => compiled('missing').evaluate(inner).error !== undefined,
    },
    { name: 'LOWER', parameters: ['string'], returns: 'string', run: () => 'mine' },
  ]);

  it.each([
    ["double('4') + 1", 9, undefined],
    ["JOIN('a', 1, TRUE)", 'a/1/true', undefined],
    ['WRONG()', 0, 'functionEvaluation'],
    ['BREAKS()', '', 'functionEvaluation'],
    ['NESTED() AND TRUE', true, undefined],
    ["LOWER('X')", 'mine', undefined],
    ["UPPER('x')", 'X', undefined],
    ['DOUBLE(1, 2)', false, 'missingFunction'],
  ])('%s gives %j', (text, value, kind) => {
    const result = compiled(text, { functions }).evaluate(event);
    expect([result.value, result.error?.kind]).toEqual([value, kind]);
  });

  it('are refused when two fit the same call, or the name is none', () => {
    const one = { name: 'F', parameters: ['any'], returns: 'integer', run: () => 1 } as const;
    expect(() => new FunctionTable([one, one])).toThrow('with 1 parameters already');
    expect(() => new FunctionTable([one, { ...one, parameters: [], rest: 'any' }])).toThrow('at least 0 parameters');
    expect(() => new FunctionTable([{ ...one, name: 'F1' }])).toThrow('letters and underscores');
  });
});

describe('explanations', () => {
  it('show every part, and what was not looked at', () => {
    const expression = compiled("region IN ('us', 'eu', 'ap') OR LENGTH(id) > 3 AND missing");
    expect(formatExplanation(explainCesql(expression, event))).toEqual([
      "region IN ('us', 'eu', 'ap') OR LENGTH(id) > 3 AND missing  →  false (missingAttribute error at 51: the event has no attribute \"missing\")",
      "  region IN ('us', 'eu', 'ap') OR LENGTH(id) > 3  →  true",
      "    region IN ('us', 'eu', 'ap')  →  true",
      '      region  →  "eu"',
      '      \'us\'  →  "us"',
      '      \'eu\'  →  "eu"',
      "      'ap'  →  (not evaluated)",
      '    LENGTH(id) > 3  →  (not evaluated)',
      '      LENGTH(id)  →  (not evaluated)',
      '        id  →  (not evaluated)',
      '      3  →  (not evaluated)',
      '  missing  →  false (missingAttribute error at 51: the event has no attribute "missing")',
    ]);
  });

  it('keep parentheses in the text of the parts', () => {
    expect(explainCesql(compiled('(1 + 2) * (3)'), event).text).toBe('(1 + 2) * (3)');
  });
});

describe('bounds', () => {
  it('refuse what nests too deep or is too long, and take long chains', () => {
    expect(faultOf(`${'('.repeat(300)}1${')'.repeat(300)}`).message).toContain('deeper than 250');
    expect(faultOf(`1${' + 1'.repeat(300)}`).message).toContain('deeper than 250');
    const sums = `${'('.repeat(20)}1${` + 1`.repeat(20)}${`)${' + 1'.repeat(20)}`.repeat(20)}`;
    expect(faultOf(sums).message).toContain('deeper than 250');
    expect(faultOf(`NOT `.repeat(300)).kind).toBe('parse');
    expect(faultOf(`'${'x'.repeat(70_000)}'`).message).toContain('longer than 65536');
    expect(faultOf(`type LIKE '${'x'.repeat(1_100)}'`).message).toContain('longer than 1024');
    expect(compiled(`TRUE${' AND TRUE'.repeat(5_000)}`).matches(event)).toBe(true);
    const alternating = `TRUE${' AND TRUE OR FALSE'.repeat(1_000)}`;
    expect(compileCesql(alternating)).toBeInstanceOf(CesqlFault);
    expect(compileCesql(alternating, { as: 'upstream' })).toBeInstanceOf(CesqlFault);
  });

  it('keep hostile LIKE patterns within pattern times text steps', () => {
    const matches = compileLike(`%${'a_'.repeat(500)}b`);
    const plain = compileLike(`${'%a'.repeat(500)}%b`);
    const text = 'a'.repeat(20_000);
    expect(matches(text)).toBe(false);
    expect(plain(text)).toBe(false);
  });
});

// Random expressions, well-formed ones and heaps of tokens.
const leaf = fc.constantFrom(
  '1',
  '-7',
  "'x'",
  "'12'",
  "''",
  'TRUE',
  'false',
  'hops',
  'urgent',
  'region',
  'ttl',
  'missing',
  'type',
  'subject',
);
const { node: wellFormed } = fc.letrec<{ node: string }>((tie) => {
  const node = tie('node');
  const binary = fc
    .tuple(node, fc.constantFrom('AND', 'OR', 'XOR', '=', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'), node)
    .map(([left, operator, right]) => `(${left} ${operator} ${right})`);
  const unary = fc.tuple(fc.constantFrom('NOT ', '- '), node).map(([operator, operand]) => `${operator}(${operand})`);
  const call = fc
    .tuple(fc.constantFrom('LENGTH', 'UPPER', 'INT', 'BOOL', 'STRING', 'IS_INT', 'IS_BOOL', 'ABS', 'TRIM'), node)
    .map(([name, argument]) => `${name}(${argument})`);
  const cut = fc
    .tuple(fc.constantFrom('LEFT', 'RIGHT', 'SUBSTRING'), node, node)
    .map(([name, ...args]) => `${name}(${args.join(', ')})`);
  const inList = fc
    .tuple(node, fc.array(node, { minLength: 1, maxLength: 3 }))
    .map(([tested, set]) => `(${tested}) IN (${set.join(', ')})`);
  const like = fc
    .tuple(node, fc.constantFrom('%', 'e%', '%u', '_', '%x%'))
    .map(([tested, pattern]) => `(${tested}) LIKE '${pattern}'`);
  return { node: fc.oneof({ depthSize: 'small', maxDepth: 4 }, leaf, binary, unary, call, cut, inList, like) };
});

describe('properties', () => {
  it('explanations agree with evaluation, and the parts with the whole', () => {
    fc.assert(
      fc.property(wellFormed, (text) => {
        const expression = compiled(text);
        const explanation = explainCesql(expression, event);
        const { value, error } = expression.evaluate(event);
        expect([explanation.value, explanation.error?.kind]).toEqual([value, error?.kind]);
        expect(expression.matches(event)).toBe(value === true && error === undefined);
        // The error of the whole is the error of the last part that was looked at, unless it is the node's own.
        const failed = explanation.operands.find((operand) => operand.error !== undefined);
        if (failed !== undefined) expect(error).toEqual(failed.error);
      }),
    );
  });

  it('a conjunction passes exactly when all its parts do', () => {
    fc.assert(
      fc.property(fc.array(wellFormed, { minLength: 1, maxLength: 4 }), (parts) => {
        const text = parts.map((part) => `(${part})`).join(' AND ');
        const whole = compiled(text);
        const verdicts = conjunctsOf(whole.node).map((node) => compileCesqlNode(text, node).evaluate(event));
        const allTrue = verdicts.every(({ value, error }) => error === undefined && asBoolean(value));
        // A conjunction casts its parts, a single expression is not cast.
        if (whole.node.kind === 'and') expect(whole.matches(event)).toBe(allTrue);
      }),
    );
  });

  function asBoolean(value: unknown): boolean {
    return typeof value === 'string' ? value.toLowerCase() === 'true' : Boolean(value);
  }

  it('atoms say what their nodes say', () => {
    const attribute = fc.constantFrom('type', 'subject', 'hops', 'urgent', 'region', 'hash', 'missing', 'time');
    const literal = fc.constantFrom(
      'com.%',
      '%.created',
      'eu',
      '5',
      'true',
      'AQID',
      '%',
      '',
      'e\\%',
      'com.example.order.created',
      '%u',
      '5%',
    );
    fc.assert(
      fc.property(attribute, fc.constantFrom('=', 'LIKE'), literal, (name, operator, value) => {
        const expression = compiled(`${name} ${operator} '${value}'`);
        const atom = atomOf(expression.node);
        expect(atom).toBeDefined();
        if (atom !== undefined) expect(atomMatches(atom, event)).toBe(expression.matches(event));
      }),
    );
    expect(atomOf(compiled('type = 5').node)).toBeUndefined();
    expect(atomOf(compiled("type LIKE '%a%'").node)).toBeUndefined();
    expect(atomOf(compiled("'eu' = region").node)).toBeUndefined();
  });

  it('LIKE agrees with a regular expression', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '.'), maxLength: 8 });
    const text = fc.string({ unit: fc.constantFrom('a', 'b', '%', '_', '\\', '😀', '.', '\n'), maxLength: 8 });
    fc.assert(
      fc.property(pattern, text, (like, value) => {
        const source = like.replace(/\\[%_]|[\s\S]/gu, (part) => {
          if (part === '%') return '[^]*';
          if (part === '_') return '[^]';
          return (part.length === 2 && part.startsWith('\\') ? part.slice(1) : part).replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
        });
        expect(compileLike(like)(value)).toBe(new RegExp(`^${source}$`, 'u').test(value));
      }),
      { numRuns: 1_000 },
    );
  });

  it('nothing makes the parser throw or hang, and every node stands in the text', () => {
    const tokens = fc.constantFrom(
      ...[
        "'",
        '"',
        '\\',
        '(',
        ')',
        ',',
        '+',
        '-',
        '1',
        '99',
        ' ',
        'AND',
        'NOT',
        'IN',
        'LIKE',
        'EXISTS',
        'x',
        "'y'",
        'LEFT',
        '_',
        'é',
        '!',
        '=',
        '<',
        '>',
      ],
    );
    const soup = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(tokens, { maxLength: 30 }).map((parts) => parts.join('')),
      wellFormed,
    );
    fc.assert(
      fc.property(soup, fc.boolean(), (text, asUpstream) => {
        const as = asUpstream ? 'upstream' : 'specification';
        const node = parseCesql(text, { as });
        if (node instanceof CesqlFault) {
          expect(node.position).toBeLessThanOrEqual(text.length);
          return;
        }
        compileCesqlNode(text, node, { as }).evaluate(event);
        expect(standsWithin(node, 0, text.length)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  function standsWithin(node: CesqlNode, start: number, end: number): boolean {
    return (
      start <= node.start &&
      node.start <= node.end &&
      node.end <= end &&
      operandsOf(node).every((operand) => standsWithin(operand, node.start, node.end))
    );
  }
});
