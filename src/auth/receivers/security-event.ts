import { eventUri, isEventName, VERIFICATION } from './event-types.js';
import type { ClaimedRow, EventRow } from './deliveries.sql.js';

/** The claims of a Security Event Token (RFC 8417 §2.2). There is no `exp`: a fact does not expire. */
export interface SecurityEvent {
  readonly iss: string;
  readonly aud: string;
  readonly iat: number;
  readonly jti: string;
  readonly txn: string;
  readonly sub_id: SubjectId;
  readonly events: Readonly<Record<string, object>>;
}

/** A subject identifier of RFC 9493, or of OpenID Shared Signals where it has a format that fits. */
type SubjectId = { readonly format: string } & Readonly<Record<string, unknown>>;

/** Each attempt sends the same claims, so that a receiver that gets an event twice can tell. */
export function securityEvent(row: EventRow, receiver: ClaimedRow, issuer: string): SecurityEvent {
  const at = Math.floor(row.happened_at.getTime() / 1_000);
  const event = isEventName(row.event) ? row.event : VERIFICATION;
  const token = event === 'token-revoked' && row.token_id !== null ? { token: row.token_id } : {};
  const claims = event === VERIFICATION ? row.claims : { event_timestamp: at, ...row.claims, ...token };
  return {
    ...{ iss: issuer, aud: receiver.audience, iat: at, jti: row.id, txn: row.txn },
    sub_id: subjectOf(row, receiver, issuer),
    events: { [eventUri(event, issuer)]: claims },
  };
}

function subjectOf(row: EventRow, receiver: ClaimedRow, issuer: string): SubjectId {
  const { user_id: userId, client_id: clientId, session_id: sessionId } = row;
  if (row.event === VERIFICATION) return opaque(receiver.id);
  if (userId === null)
    return clientId === null
      ? { format: 'ip-addresses', 'ip-addresses': row.ip === null ? [] : [row.ip] }
      : ofIssuer(issuer, clientId);
  if (sessionId === null) return ofIssuer(issuer, userId);
  return {
    format: 'complex',
    user: ofIssuer(issuer, userId),
    session: opaque(sessionId),
    ...(clientId !== null && { application: opaque(clientId) }),
  };
}

/** Names a user or a client by the `sub` of its tokens. */
function ofIssuer(iss: string, sub: string): SubjectId {
  return { format: 'iss_sub', iss, sub };
}

function opaque(id: string): SubjectId {
  return { format: 'opaque', id };
}
