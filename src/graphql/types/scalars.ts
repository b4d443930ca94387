import { GraphQLError, GraphQLID, GraphQLScalarType, Kind } from 'graphql';
import {
  GraphQLCountryCode,
  GraphQLDate,
  GraphQLDateTime,
  GraphQLSafeInt,
  GraphQLURL,
} from 'graphql-scalars';

/**
 * GraphQL's own `ID`, which refuses numbers beyond 2^53 - 1 in variables: parsing JSON has rounded them, and they would
 * name another object. Literals are text and keep all their digits. A schema has one type of this name: use it for every
 * id.
 */
export const IdScalar = new GraphQLScalarType({
  ...GraphQLID.toConfig(),
  parseValue: (value) => {
    if (typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER) {
      throw new GraphQLError(
        'ID: expected a string such as "7106594312292453675", but got a number beyond 2^53 - 1, which has lost ' +
          'digits',
      );
    }
    return GraphQLID.parseValue(value);
  },
});

const COUNTRY_EXPECTED = 'CountryCode: expected a string such as "US", but got another type';

/**
 * graphql-scalars' CountryCode, which accepts any text as input: the field checks that it is a country, so that a wrong
 * region is `BAD_USER_INPUT` of that field alone and leaves the data of other aliases.
 */
export const CountryCodeScalar = new GraphQLScalarType({
  ...GraphQLCountryCode.toConfig(),
  specifiedByURL: 'https://www.iso.org/iso-3166-country-codes.html',
  description: 'An ISO 3166-1 alpha-2 country code, such as `US`. Arguments may be in lower case.',
  parseValue: (value) => {
    if (typeof value !== 'string') throw new GraphQLError(COUNTRY_EXPECTED);
    return value;
  },
  parseLiteral: (node) => {
    // Without the node, the error of validation would have no location.
    if (node.kind !== Kind.STRING) throw new GraphQLError(COUNTRY_EXPECTED, { nodes: node });
    return node.value;
  },
});

/** The formats of dates and times. */
const RFC_3339 = 'https://www.rfc-editor.org/rfc/rfc3339#section-5.6';

/** graphql-scalars' DateTime; serialises Unix milliseconds. */
export const DateTimeScalar = new GraphQLScalarType({
  ...GraphQLDateTime.toConfig(),
  specifiedByURL: RFC_3339,
  description: 'A date and time in UTC, in the format of RFC 3339, such as `2026-11-22T10:15:30.000Z`.',
});

/** graphql-scalars' Date; serialises text. */
export const DateScalar = new GraphQLScalarType({
  ...GraphQLDate.toConfig(),
  specifiedByURL: RFC_3339,
  description: 'A UTC date in the format of RFC 3339, such as `2026-11-22`.',
});

/** graphql-scalars' URL. Serialises text as it is: rows are checked when they arrive, from KeyAPI, Redis or the cache file. */
export const UrlScalar = new GraphQLScalarType({
  ...GraphQLURL.toConfig(),
  serialize: (value) => value,
  specifiedByURL: 'https://url.spec.whatwg.org/#absolute-url-string',
  description: 'An absolute `https:` or `http:` URL.',
});

/** graphql-scalars' SafeInt. */
export const SafeIntScalar = new GraphQLScalarType({
  ...GraphQLSafeInt.toConfig(),
  specifiedByURL: 'https://tc39.es/ecma262/#sec-number.issafeinteger',
  description: 'An integer that JavaScript can represent exactly: up to 2^53 - 1.',
});
