/**
 * Why a proof is refused: each reason with its error code (RFC 9449 §12.2) and one constant sentence for the caller. The caller
 * made the proof himself, so the sentence tells him no secret.
 */
export const PROOF_FLAWS = {
  proof_missing: [
    'invalid_dpop_proof',
    'The header DPoP is missing: this token, or this address, wants a proof.',
  ],
  proof_repeated: ['invalid_dpop_proof', 'There is more than one header DPoP: send one.'],
  proof_malformed: [
    'invalid_dpop_proof',
    'The proof is not a signed JWT as RFC 9449 describes it, or is too long.',
  ],
  proof_algorithm: [
    'invalid_dpop_proof',
    'The proof is signed in a way that is not among those listed in algs.',
  ],
  proof_key: [
    'invalid_dpop_proof',
    'The jwk of the proof is not a public key for its alg, or has something private in it.',
  ],
  proof_claims: [
    'invalid_dpop_proof',
    'The proof lacks one of jti, htm, htu and iat, or one is of the wrong form.',
  ],
  proof_method: ['invalid_dpop_proof', 'The htm of the proof is not the method of this request.'],
  proof_address: [
    'invalid_dpop_proof',
    'The htu of the proof is not the public address of this request: compare it with what the operator has set.',
  ],
  proof_token: ['invalid_dpop_proof', 'The ath of the proof is missing, or not the hash of this token.'],
  proof_nonce: ['use_dpop_nonce', 'The proof needs the nonce that the header DPoP-Nonce of this answer has.'],
  proof_time: [
    'invalid_dpop_proof',
    'The iat of the proof is too long ago, or in the future: make one for each request, and set the clock.',
  ],
  proof_signature: ['invalid_dpop_proof', 'The signature of the proof does not fit its jwk.'],
  proof_replayed: ['invalid_dpop_proof', 'The proof has been used before: make a new one for each request.'],
} as const satisfies Record<string, readonly ['invalid_dpop_proof' | 'use_dpop_nonce', string]>;

export type ProofFlaw = keyof typeof PROOF_FLAWS;
