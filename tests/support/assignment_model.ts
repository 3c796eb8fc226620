/**
 * What assigning, ending and backfilling should come to, in plain words: each pair of member and trainer has nothing, an
 * active assignment or an ended one, and a run looks at members in key order, a few at a time.
 */
export class AssignmentModel {
  readonly #pairs = new Map<string, "active" | "ended">();
  readonly #runs = new Map<string, { next: string; last: string; isAtEnd: boolean }>();
  readonly #members: string[];

  /** @param defaultTrainer whom every new member gets */
  constructor(readonly defaultTrainer: string, members: string[]) {
    this.#members = members.toSorted();
  }

  /** A member signs up. */
  join(member: string): void {
    this.#members.push(member);
    this.#members.sort();
    if (member !== this.defaultTrainer) this.#pairs.set(key(member, this.defaultTrainer), "active");
  }

  /** Returns whether this made the assignment, or null when it must be refused. */
  assign(member: string, trainer: string): boolean | null {
    if (member === trainer) return null;
    const isNew = this.#pairs.get(key(member, trainer)) !== "active";
    this.#pairs.set(key(member, trainer), "active");
    return isNew;
  }

  /** Returns whether there was an active assignment. */
  end(member: string, trainer: string): boolean {
    const wasActive = this.#pairs.get(key(member, trainer)) === "active";
    if (wasActive) this.#pairs.set(key(member, trainer), "ended");
    return wasActive;
  }

  /** Returns whether a run starts: a trainer has one at a time. */
  start(trainer: string): boolean {
    if (this.#runs.has(trainer)) return false;
    this.#runs.set(trainer, { next: "", last: this.#members.at(-1) ?? "", isAtEnd: false });
    return true;
  }

  /** Returns what the next step of the trainer's run does, or null when there is no run. */
  step(trainer: string, rows: number): "batch" | "swept" | "finished" | null {
    const run = this.#runs.get(trainer);
    if (!run) return null;
    const ahead = this.#members.filter((member) => member <= run.last && (run.isAtEnd || member >= run.next));
    if (!run.isAtEnd) {
      this.#fill(ahead.slice(0, rows), trainer);
      const next = ahead[rows];
      this.#runs.set(trainer, { ...run, next: next ?? run.next, isAtEnd: next === undefined });
      return "batch";
    }
    if (this.#fill(ahead, trainer) > 0) return "swept";
    this.#runs.delete(trainer);
    return "finished";
  }

  /** All pairs that were ever assigned: `member trainer active|ended`, sorted. */
  pairs(): string[] {
    return Array.from(this.#pairs, ([pair, state]) => `${pair} ${state}`).sort();
  }

  #fill(members: string[], trainer: string): number {
    const missing = members.filter((member) => member !== trainer && !this.#pairs.has(key(member, trainer)));
    for (const member of missing) this.#pairs.set(key(member, trainer), "active");
    return missing.length;
  }
}

function key(member: string, trainer: string): string {
  return `${member} ${trainer}`;
}
