/**
 * Asks Debian's ONNX checker about model files.
 *
 * @module
 */

const python = "/usr/bin/python3";

/** Whether `apt install python3-onnx` was done; says so where it was not, and throws if that is for CI. */
async function findOnnxChecker(): Promise<boolean> {
  let found = false;
  try {
    found = (await new Deno.Command(python, { args: ["-c", "import onnx"], stderr: "null" }).output()).success;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  if (!found && Deno.env.get("CI") === "true") {
    throw new Error(
      "Cannot check ONNX files: python3-onnx must be installed for CI, got none: apt install python3-onnx",
    );
  }
  if (!found) console.log("skipped: the ONNX checker is not installed: apt install python3-onnx");
  return found;
}

/** Whether tests can ask the checker. */
export const hasOnnxChecker: boolean = await findOnnxChecker();

const program = `
import sys, onnx
for path in sys.argv[1:]:
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    again = model.SerializeToString(deterministic=True)
    assert again == open(path, "rb").read(), "another protobuf library writes other bytes"
    inferred = onnx.shape_inference.infer_shapes(model, strict_mode=True)
    for value in list(inferred.graph.input) + list(inferred.graph.output):
        kind = value.type.tensor_type
        print(value.name, kind.elem_type, [d.dim_param or d.dim_value for d in kind.shape.dim])
`;

/**
 * Runs `onnx.checker.check_model(full_check=True)` and strict shape inference on files.
 *
 * @param files the models
 * @returns inputs and outputs as Python's onnx understands them, one a line
 * @throws {Error} with Python's words if a file is refused
 */
export async function checkWithPython(files: readonly Uint8Array[]): Promise<string[]> {
  const folder = await Deno.makeTempDir();
  try {
    const paths = files.map((_, i) => `${folder}/${i}.onnx`);
    await Promise.all(files.map((file, i) => Deno.writeFile(paths[i], file)));
    const { success, stdout, stderr } = await new Deno.Command(python, { args: ["-c", program, ...paths] }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trim().split("\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
