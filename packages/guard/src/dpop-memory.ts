import { NoVerdict } from './no-verdict.js';

/** Remembers which proofs have been used: in this process, unless an API brings a memory that its instances share. */
export abstract class ProofMemory {
  /**
   * Remembers the proof, and says whether it is new.
   * @param proof 32 bytes that no two proofs have in common
   * @param until from when the proof is too old anyway: milliseconds since the epoch
   * @throws when nobody can tell whether the proof is new: the answer is then 503
   */
  abstract isFirst(proof: Buffer, until: number): boolean | Promise<boolean>;
}

/**
 * Remembers in this process. Two sets take turns, so no set has to be searched for old entries: when the older set is dropped,
 * all proofs in it are too old.
 */
export class LocalProofMemory extends ProofMemory {
  private recent = new Set<string>();
  private older = new Set<string>();
  private turnedAt = -Infinity;

  /**
   * @param longest milliseconds for which a proof has to be remembered at most
   * @param entries how many are kept at most; when they are full there is no verdict, because a used proof could be forgotten
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
