import { describe, expect, it } from '@jest/globals';
import { getIntrospectionQuery, parse } from 'graphql';
import { measureOperations, type OperationSize } from '../../../src/graphql/limits/documentSize.ts';

function measure(text: string): OperationSize {
  const [size, ...others] = measureOperations(parse(text));
  if (!size || others.length > 0) throw new Error('expected one operation');
  return size;
}

describe('measureOperations', () => {
  it.each([
    ['{ a }', 1],
    ['{ a b { c } d }', 2],
    ['{ trendingVideos { edges { node { creator { handle } } } } }', 5],
    ['{ a { ... { ... on T { ...F } } } } fragment F on T { b { c } }', 3],
    ['{ ...F a } fragment F on Query { a { ...G } } fragment G on T { b { c } }', 3],
    ['{ __schema { types { ofType { ofType { name } } } } }', 1],
    ['{ a { b } __type(name: "T") { ...F } } fragment F on __Type { ofType { ofType { name } } }', 2],
    ['{ __schema: a { b { c } } }', 3],
  ])('counts levels of nested fields, without those of introspection: %s is %i deep', (text, depth) => {
    expect(measure(text).depth).toBe(depth);
  });

  it.each([
    ['{ a b { c } }', 0],
    ['{ x: a y: b { z: c } }', 3],
    ['{ __typename: a b: __typename s: __schema { t: types { n: name } } }', 5],
    ['{ ... { x: a } ... @include(if: true) { x: a } }', 2],
    ['{ ...F b { ...F } } fragment F on T { x: a y: b }', 4],
    ['{ ...F ...F } fragment F on Query { ...G ...G } fragment G on Query { x: a }', 4],
  ])('counts aliases wherever their fragment is spread: %s has %i', (text, aliases) => {
    expect(measure(text).aliases).toBe(aliases);
  });

  it.each([
    ['{ a { b c } }', 1],
    ['{ a a x: a __typename }', 4],
    ['{ ...F ... { d } e } fragment F on Query { a b { c } ...G } fragment G on Query { g }', 5],
  ])('counts the fields at the root: %s has %i', (text, rootFields) => {
    expect(measure(text).rootFields).toBe(rootFields);
  });

  it.each([
    ['query ($v: Int @d) @d @e { a @d { b @d } }', 5],
    ['{ ... @d { a } ...F @d } fragment F on Query @d { a @d }', 4],
    ['{ ...F ...F } fragment F on Query @d { a @d ...G @d } fragment G on Query { b @d @d }', 10],
  ])('counts directives wherever their fragment is spread: %s has %i', (text, directives) => {
    expect(measure(text).directives).toBe(directives);
  });

  it('measures each operation separately', () => {
    const sizes = measureOperations(
      parse('query A { a b } query B { ...F } fragment F on Query { x: a { b } }'),
    );
    expect(sizes).toEqual([
      { depth: 1, aliases: 0, rootFields: 2, directives: 0 },
      { depth: 2, aliases: 1, rootFields: 1, directives: 0 },
    ]);
  });

  it('ignores a fragment that is not spread', () => {
    expect(measure('{ a } fragment F on Query { x: a { b { c @d } } }')).toEqual(measure('{ a }'));
  });

  it('accepts invalid documents: missing fragments, names of object properties, two fragments of one name', () => {
    expect(measure('{ ...None ...constructor ...__proto__ a }')).toEqual(measure('{ a }'));
    expect(measure('{ ...__proto__ } fragment __proto__ on Query { x: a }').aliases).toBe(1);
    expect(measure('{ ...F } fragment F on Query { a } fragment F on Query { x: a y: a }').aliases).toBe(2);
  });

  it('terminates when fragments spread each other', () => {
    expect(measure('{ ...F } fragment F on Query { x: a ...F }')).toMatchObject({ aliases: 1 });
    const cycle = 'fragment F on T { x: a { ...G } } fragment G on T { y: b { ...F } }';
    expect(measure(`{ ...F } ${cycle}`)).toMatchObject({ aliases: 2, depth: 2 });
  });

  it('multiplies nested spreads instead of expanding them', () => {
    const fragments = Array.from({ length: 90 }, (_, index) => {
      const next = `...F${index + 1}`;
      return `fragment F${index} on Query { ${next} ${next} }`;
    });
    const { aliases, rootFields, directives } = measure(
      `{ ...F0 } ${fragments.join(' ')} fragment F90 on Query { x: a @d }`,
    );
    expect([aliases, rootFields, directives]).toEqual([2 ** 90, 2 ** 90, 2 ** 90]);
  });

  it('counts only the root field of the standard introspection query', () => {
    const text = getIntrospectionQuery({ inputValueDeprecation: true, directiveIsRepeatable: true });
    expect(measure(text)).toEqual({ depth: 1, aliases: 0, rootFields: 1, directives: 0 });
  });
});
