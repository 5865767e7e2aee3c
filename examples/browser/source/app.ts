/**
 * The page: its controls, what the worker reports, and what is said aloud.
 *
 * @module
 */
/// <reference lib="dom" />
import { type CatalogueEntry, type Notes, readCatalogue, readNotes } from "./catalogue.ts";
import { Gallery } from "./gallery.ts";
import type { ModelFacts, Progress, Report, Request } from "./messages.ts";
import { byId, fillRows, prefersStillness } from "./page_parts.ts";
import { PathPanel } from "./path_panel.ts";
import { ProfilePanel } from "./profile_panel.ts";
import { type Comparison, count, decimal, pictureInWords, presetName, summaryInWords } from "./words.ts";

const base = new URL(".", import.meta.url).href;

/** Counts of samples at which a screen reader hears how far it is; in between it is left in peace. */
const isMilestone = (before: number, now: number) => now >= 100 && Math.floor(Math.log10(now)) > Math.log10(before);

/** Joins the parts of the page. */
class App {
  readonly #worker = new Worker(new URL("worker.js", base), { type: "module" });
  readonly #gallery = new Gallery(() => this.#onShown());
  readonly #profile = new ProfilePanel();
  readonly #path = new PathPanel(() => this.#ask({ kind: "path", seed: ++this.#pathSeed }));
  readonly #preset = byId("preset", HTMLSelectElement);
  readonly #temperature = byId("temperature", HTMLSelectElement);
  readonly #go = byId("go", HTMLButtonElement);
  #entries: CatalogueEntry[] = [];
  #notes: Notes | null = null;
  #facts: ModelFacts | null = null;
  #progress: Progress | null = null;
  /** Restarts so far; what belongs to an earlier one is ignored. */
  #run = 0;
  #pathSeed = 0;
  #wanted = !prefersStillness();
  /** Whether sampling was going when the page was hidden. */
  #hiddenWhileGoing = false;

  /** Connects controls and worker. */
  constructor() {
    this.#worker.onmessage = ({ data }: MessageEvent<Report>) => this.#hear(data);
    this.#worker.onerror = (event) => {
      event.preventDefault();
      this.#fail(`Cannot sample: the worker stopped${event.message ? ` (${event.message})` : ", its file is missing"}`);
    };
    this.#preset.addEventListener("change", () => this.#onPreset());
    this.#temperature.addEventListener("change", () => this.#open());
    this.#go.addEventListener("click", () => this.#setGoing(!this.#wanted));
    byId("step", HTMLButtonElement).addEventListener("click", () => this.#ask({ kind: "step" }));
    byId("controls", HTMLFormElement).addEventListener("submit", (event) => {
      event.preventDefault();
      this.#restart();
    });
    const opacity = byId("opacity", HTMLSelectElement);
    opacity.addEventListener("change", () => this.#gallery.comparison = opacity.value as Comparison);
    byId("retry", HTMLButtonElement).addEventListener("click", () => location.reload());
    byId("picture-details", HTMLDetailsElement).addEventListener("toggle", () => this.#fillPositions());
    document.addEventListener("visibilitychange", () => this.#onVisibility());
  }

  /** Loads the list of models, and the first of them. */
  async begin(): Promise<void> {
    say("Loading the model …");
    try {
      this.#entries = await readCatalogue(base);
    } catch (error) {
      return this.#fail((error as Error).message);
    }
    const presets = [...new Set(this.#entries.map(({ preset }) => preset))];
    this.#preset.replaceChildren(...presets.map((preset) => new Option(presetName(preset), preset)));
    this.#onPreset();
  }

  /** Offers the temperatures of the chosen preset: the one chosen before, else T₀, else the first. */
  #onPreset(): void {
    const offered = this.#entries.filter(({ preset }) => preset === this.#preset.value);
    const before = this.#temperature.value;
    this.#temperature.replaceChildren(
      ...offered.map(({ temperature }) => new Option(`T = ${temperature} T₀`, String(temperature))),
    );
    const values = offered.map(({ temperature }) => String(temperature));
    this.#temperature.value = [before, "1", values[0]].find((value) => values.includes(value))!;
    this.#open();
  }

  async #open(): Promise<void> {
    const run = ++this.#run;
    const entry = this.#entries.find(({ preset, temperature }) =>
      preset === this.#preset.value && String(temperature) === this.#temperature.value
    )!;
    this.#enable(false);
    this.#facts = this.#progress = null;
    this.#gallery.clear(null);
    this.#path.clear(null);
    say(`Loading the model at T = ${entry.temperature} T₀ …`);
    try {
      const notes = await readNotes(entry, base);
      if (run !== this.#run) return;
      this.#notes = notes;
      this.#profile.clear(notes);
      this.#ask({ kind: "open", run, entry, notes, seed: this.#seed() });
    } catch (error) {
      if (run === this.#run) this.#fail((error as Error).message);
    }
  }

  #seed(): number {
    const field = byId("seed", HTMLInputElement);
    return field.checkValidity() ? field.valueAsNumber : 1;
  }

  #restart(): void {
    if (this.#notes === null || this.#facts === null) return;
    this.#progress = null;
    this.#gallery.clear(this.#facts);
    this.#profile.clear(this.#notes);
    this.#ask({ kind: "restart", run: ++this.#run, seed: this.#seed() });
    this.#ask({ kind: "step" });
    if (this.#wanted) this.#ask({ kind: "go" });
    say(`Started over with seed ${this.#seed()}.`);
  }

  #setGoing(going: boolean): void {
    this.#wanted = going;
    this.#go.textContent = going ? "Pause" : this.#progress === null ? "Start" : "Go on";
    this.#ask({ kind: going ? "go" : "pause" });
    if (going) say("Sampling.");
  }

  /** Whoever cannot see the page does not want to heat the room. */
  #onVisibility(): void {
    if (document.hidden) {
      this.#hiddenWhileGoing = this.#wanted && this.#facts !== null;
      if (this.#hiddenWhileGoing) this.#ask({ kind: "pause" });
    } else if (this.#hiddenWhileGoing && this.#wanted) this.#ask({ kind: "go" });
  }

  #ask(request: Request): void {
    this.#worker.postMessage(request);
  }

  #hear(report: Report): void {
    if (report.run !== this.#run) return;
    switch (report.kind) {
      case "opened":
        return this.#onOpened(report.facts);
      case "progress":
        return this.#onProgress(report.progress);
      case "path":
        return this.#path.show(report.path);
      case "failed":
        return this.#fail(report.message);
    }
  }

  #onOpened(facts: ModelFacts): void {
    this.#facts = facts;
    this.#gallery.clear(facts);
    this.#path.clear(facts);
    byId("facts", HTMLElement).textContent =
      `Model: ParticleDimer, preset ${facts.preset}, T = ${facts.temperature} T₀, ` +
      `${facts.particles} particles; ${count(facts.bytes / 1000)} kB.`;
    this.#enable(true);
    this.#go.textContent = this.#wanted ? "Pause" : "Start";
    this.#ask({ kind: "step" });
    this.#ask({ kind: "path", seed: null });
    if (this.#wanted) this.#ask({ kind: "go" });
    say(this.#wanted ? "Sampling." : "Ready. Press Start, or draw one configuration.");
  }

  #onProgress(progress: Progress): void {
    const before = this.#progress?.summary.n ?? 0;
    const wasRunning = this.#progress?.running ?? false;
    this.#progress = progress;
    const { summary, pictures, running } = progress;
    this.#profile.show(progress);
    this.#gallery.offer(pictures, summary, !running);
    const words = () => summaryInWords(summary, this.#notes?.difference.value ?? NaN);
    if (running) {
      if (isMilestone(before, summary.n)) say(words());
      return;
    }
    if (this.#wanted && wasRunning && !document.hidden) {
      this.#wanted = false;
      this.#go.textContent = "Go on";
      say(`Paused by itself after a million samples. ${words()}`);
    } else if (!this.#wanted) say(wasRunning ? `Paused. ${words()}` : this.#pictureWords());
    this.#profile.fillTable();
    this.#fillPositions();
  }

  #pictureWords(): string {
    const { current, weight } = this.#gallery;
    return current === null ? "" : pictureInWords(current, weight);
  }

  #onShown(): void {
    this.#profile.here = this.#gallery.current?.d ?? null;
  }

  #fillPositions(): void {
    const { current } = this.#gallery;
    if (!byId("picture-details", HTMLDetailsElement).open || current === null) return;
    byId("picture-caption", HTMLElement).textContent = this.#pictureWords();
    const rows = Array.from({ length: current.x.length / 2 }, (_, particle) => [
      particle < 2 ? `molecule ${particle + 1}` : `solvent ${particle - 1}`,
      decimal(current.x[2 * particle], 2),
      decimal(current.x[2 * particle + 1], 2),
    ]);
    fillRows("picture-rows", rows);
  }

  #enable(enabled: boolean): void {
    for (const id of ["go", "step", "reset"]) byId(id, HTMLButtonElement).disabled = !enabled;
    for (const select of [this.#preset, this.#temperature]) select.disabled = select.options.length === 0;
  }

  #fail(message: string): void {
    this.#ask({ kind: "pause" });
    this.#enable(false);
    say("");
    byId("failure-text", HTMLElement).textContent = message;
    byId("failure", HTMLElement).hidden = false;
  }
}

/** Shows a sentence that screen readers read out. */
function say(text: string): void {
  byId("status", HTMLElement).textContent = text;
}

new App().begin();
