/** Where a request came from, for sessions and the audit log. */
export interface RequestOrigin {
  readonly ip: string | null;
  readonly userAgent: string | null;
  /** The id of the request in the log. */
  readonly requestId: string | null;
}

/** The origin of commands that the operator runs on the command line. */
export const OPERATOR: RequestOrigin = { ip: null, userAgent: null, requestId: null };

export interface HttpRequest {
  readonly clientAddress: string;
  readonly id: string;
  readonly headers: { readonly 'user-agent'?: string | undefined };
}

export function originOf(request: HttpRequest): RequestOrigin {
  const userAgent = request.headers['user-agent'];
  return {
    ip: request.clientAddress || null,
    requestId: request.id,
    userAgent: userAgent ? userAgent.replace(/[^\x20-\x7e]/g, '?').slice(0, 200) : null,
  };
}
