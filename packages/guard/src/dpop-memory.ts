import { NoVerdict } from './no-verdict.js';

/** Where it is remembered which proofs have been used: in this process, unless an API brings something that its instances share. */
export abstract class ProofMemory {
  /**
   * Remembers it, and says whether nobody has before.
   * @param proof 32 bytes that no two proofs have in common
   * @param until when it is refused for its age anyway: milliseconds since the epoch
   * @throws when that cannot be told: the answer is then 503
   */
  abstract isFirst(proof: Buffer, until: number): boolean | Promise<boolean>;
}

/**
 * In this process. Two sets take turns, so that nothing has to be looked through: whatever is in the older one has had its
 * time when it is dropped.
 */
export class LocalProofMemory extends ProofMemory {
  private recent = new Set<string>();
  private older = new Set<string>();
  private turnedAt = -Infinity;

  /**
   * @param longest milliseconds for which a proof has to be remembered at most
   * @param entries that are kept at most; beyond them there is no verdict, because a used proof could be one of the others
   * @param now milliseconds of a clock that is never set back
   */
  constructor(
    private readonly longest: number,
    private readonly entries: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    super();
  }

  /** @throws NoVerdict when there is no room */
  isFirst(proof: Buffer): boolean {
    this.turn();
    const key = proof.toString('latin1', 0, 16);
    if (this.recent.has(key) || this.older.has(key)) return false;
    if (this.recent.size + this.older.size >= this.entries)
      throw new NoVerdict('overloaded', 'More proofs were used lately than this API remembers.');
    this.recent.add(key);
    return true;
  }

  private turn(): void {
    const age = this.now() - this.turnedAt;
    if (age < this.longest) return;
    this.older = age < 2 * this.longest ? this.recent : new Set();
    this.recent = new Set();
    this.turnedAt = this.now();
  }
}
