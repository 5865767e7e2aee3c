/**
 * The newest generation of a checkpoint that is whole.
 *
 * @module
 */
import { type Checkpoint, loadCheckpoint } from "./checkpoint.ts";
import { describeFileError } from "./write_atomically.ts";

/** A checkpoint, and what had to be done to get it. */
export interface RecoveredCheckpoint {
  /** The checkpoint. */
  readonly checkpoint: Checkpoint;
  /** Where the newest generation was damaged: a sentence that says what was wrong and what was taken instead. */
  readonly warning: string | null;
}

/**
 * Loads the newest of the two generations that `saveCheckpoint` keeps which is whole.
 *
 * Where the newest one is damaged, the one before takes its place under its name, so that the next save keeps a good one
 * beside it; the damaged file is gone then.
 *
 * @param path the checkpoint; the generation before it is `<path>.previous`
 * @param kind the kind it must be of
 * @returns the checkpoint; null if neither generation exists
 * @throws {Error} with one sentence if there are files and none of them is a whole checkpoint of this kind
 */
export async function recoverCheckpoint(path: string, kind: string): Promise<RecoveredCheckpoint | null> {
  const previous = `${path}.previous`;
  const [hasNewest, hasPrevious] = [await exists(path), await exists(previous)];
  if (!hasNewest && !hasPrevious) return null;
  try {
    return { checkpoint: await loadCheckpoint(path, kind), warning: null };
  } catch (fault) {
    if (!hasPrevious) throw fault;
    const checkpoint = await loadCheckpoint(previous, kind).catch((error) => {
      throw new Error(`${reasonOf(fault)}; ${lower(reasonOf(error))}`, { cause: fault });
    });
    await Deno.rename(previous, path).catch((error) => {
      throw new Error(`Cannot write ${path}: ${describeFileError(error, path)}`, { cause: error });
    });
    return { checkpoint, warning: `${reasonOf(fault)}; went back to the checkpoint before it` };
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new Error(`Cannot load checkpoint ${path}: ${describeFileError(error, path)}`, { cause: error });
  }
}

/** A message without the hint that there is a generation before, which is known here. */
function reasonOf(error: unknown): string {
  return (error as Error).message.replace(/ \(the checkpoint before it is kept as .*\)$/s, "");
}

function lower(sentence: string): string {
  return sentence.charAt(0).toLowerCase() + sentence.slice(1);
}
