/** What every build exports beside its kernels. */

/** Version of names, argument orders and layouts; src/backend checks it once when it loads a module. */
export function abiVersion(): i32 {
  return 4;
}

/** First byte of memory that the kernels leave to their owner (constants lie below). */
export function heapBase(): usize {
  return __heap_base;
}
