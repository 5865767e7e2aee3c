/** Version of this package, written into every model; a test keeps it equal to the one in deno.json. */
export const packageVersion = "0.1.0";
