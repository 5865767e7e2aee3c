/** Types of npm:deno-std/text/levenshtein_distance.js. */
export function levenshteinDistance(a: string, b: string): number;
