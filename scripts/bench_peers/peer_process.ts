/**
 * A peer as a process of its own, ours too: nobody shares a heap, a just-in-time compiler or threads with another.
 *
 * @module
 */
import type { GoAnswer, PeerAnswer } from "./serve.ts";

/** How a peer is started. */
export interface PeerCommand {
  /** Name in tables. */
  readonly name: string;
  /** Program. */
  readonly program: string;
  /** Its arguments. */
  readonly args: readonly string[];
  /** Environment variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A running peer; see `serve.ts` for what is said. */
export class PeerProcess implements AsyncDisposable {
  /** How it was started. */
  readonly command: PeerCommand;
  readonly #process: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  readonly #complaints: Promise<string>;
  #rest = "";
  #answer: PeerAnswer = { version: "", settings: "" };

  private constructor(command: PeerCommand) {
    this.command = command;
    const { program, args, env = {} } = command;
    const pipes = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    this.#process = new Deno.Command(program, { args: [...args], env, ...pipes }).spawn();
    this.#writer = this.#process.stdin.getWriter();
    this.#reader = this.#process.stdout.pipeThrough(new TextDecoderStream()).getReader();
    this.#complaints = new Response(this.#process.stderr).text();
  }

  /**
   * Starts a peer and waits until it is ready.
   *
   * @param command how
   * @returns the peer
   * @throws {Error} with the last thing that it said if it ends instead
   */
  static async start(command: PeerCommand): Promise<PeerProcess> {
    const peer = new PeerProcess(command);
    try {
      peer.#answer = await peer.#next();
    } catch (error) {
      await peer[Symbol.asyncDispose]();
      throw error;
    }
    return peer;
  }

  /** What it says about itself. */
  get about(): PeerAnswer {
    return this.#answer;
  }

  /**
   * Lets it compute what is compared.
   *
   * @typeParam T what is answered for its task
   * @param path file for its numbers
   * @returns its answer
   */
  async check<T>(path: string): Promise<T> {
    return await this.#ask<T>(`check ${path}`);
  }

  /**
   * Lets it do steps.
   *
   * @param steps how many
   * @returns seconds for all of them
   */
  async go(steps: number): Promise<GoAnswer> {
    return await this.#ask<GoAnswer>(`go ${steps}`);
  }

  /** Largest resident memory so far in bytes; null where the operating system does not tell. */
  async peakMemory(): Promise<number | null> {
    try {
      const status = await Deno.readTextFile(`/proc/${this.#process.pid}/status`);
      return 1024 * Number(/^VmHWM:\s*(\d+) kB/m.exec(status)![1]);
    } catch {
      return null;
    }
  }

  async #ask<T>(line: string): Promise<T> {
    await this.#writer.write(new TextEncoder().encode(`${line}\n`));
    return await this.#next<T>();
  }

  /** The next line that is a JSON object; libraries print lines of their own. */
  async #next<T>(): Promise<T> {
    for (;;) {
      const end = this.#rest.indexOf("\n");
      if (end < 0) {
        const { value, done } = await this.#reader.read();
        if (done) throw this.#failure(lastLine(await this.#complaints) ?? "it ended without a word");
        this.#rest += value;
        continue;
      }
      const line = this.#rest.slice(0, end);
      this.#rest = this.#rest.slice(end + 1);
      if (!line.startsWith("{")) continue;
      const answer = JSON.parse(line);
      if (answer.error !== undefined) throw this.#failure(answer.error);
      return answer;
    }
  }

  #failure(reason: string): Error {
    return new Error(`Cannot time ${this.command.name}: ${reason}`);
  }

  /** Lets it end. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.#writer.close();
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }
}

function lastLine(text: string): string | undefined {
  return text.trim().split("\n").at(-1) || undefined;
}
