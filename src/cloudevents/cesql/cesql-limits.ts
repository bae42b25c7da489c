/** Longest expression, characters. */
export const expressionLengthMax = 65_536;

/** Deepest nesting of an expression: parentheses, operators within operators, calls within calls. Chains of one logic operator count once. */
export const expressionDepthMax = 250;

/** Longest LIKE pattern, characters: with it one match costs at most pattern times text steps. */
export const likePatternLengthMax = 1_024;
