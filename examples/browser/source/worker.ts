/**
 * Samples in a thread of its own, so that the page stays quick.
 *
 * @module
 */
/// <reference lib="webworker" />
import { findPath, walkPath } from "./latent_path.ts";
import type { Notes } from "./catalogue.ts";
import type { Report, Request } from "./messages.ts";
import { DimerModel } from "./model.ts";
import { SamplingSession, turn } from "./sampling_session.ts";

const base = new URL(".", import.meta.url).href;

let run = 0;
let model: DimerModel | null = null;
let session: SamplingSession | null = null;
let notes: Notes | null = null;

function tell(report: Report): void {
  self.postMessage(report);
}

/** Begins anew with the model that is open. */
function restart(opened: DimerModel, number: number, seed: number): void {
  session?.stop();
  session = new SamplingSession(
    opened,
    Float64Array.from(notes!.edges),
    seed,
    (progress) => tell({ kind: "progress", run: number, progress }),
  );
}

async function open({ run: number, entry, notes: known, seed }: Extract<Request, { kind: "open" }>): Promise<void> {
  // `run` is the newest; `number` is the one that asked.
  session?.stop();
  const [previous, opened] = [model, await DimerModel.open(entry, base)];
  // Whoever changes his mind while a model loads gets the last one.
  if (number !== run) return await opened.close();
  notes = known;
  model = opened;
  restart(opened, number, seed);
  tell({ kind: "opened", run: number, facts: opened.facts });
  await previous?.close();
}

async function path(number: number, seed: number | null): Promise<void> {
  const walked = model;
  if (walked === null || notes === null) return;
  const [closed, open] = [notes.latent.closed, notes.latent.open].map((end) => Float64Array.from(end));
  const found = seed === null ? await walkPath(walked, closed, open, turn) : await findPath(walked, seed, turn);
  if (number === run) tell({ kind: "path", run: number, path: found });
}

async function answer(request: Request): Promise<void> {
  if ("run" in request) run = request.run;
  switch (request.kind) {
    case "open":
      return await open(request);
    case "restart":
      if (model !== null) restart(model, request.run, request.seed);
      return;
    case "go":
      return await session?.go();
    case "pause":
      return session?.pause();
    case "step":
      return await session?.step();
    case "path":
      return await path(run, request.seed);
  }
}

self.onmessage = ({ data }: MessageEvent<Request>) => {
  const number = "run" in data ? data.run : run;
  answer(data).catch((error: Error) => tell({ kind: "failed", run: number, message: error.message }));
};
