// errors: one class, one closed table. A code says what went wrong to a program, the message to a person; the table says
// which gRPC and HTTP status it becomes, whether trying again can help, and the exit code of a process that ends by it.
// docs/reference/errors.md is generated from this table.

interface ErrorRow {
  readonly grpc: number;
  readonly http: number;
  readonly retryable: boolean;
  /** Exit status of a command that ends by it (sysexits where there is one). */
  readonly exit: number;
  readonly means: string;
}

/** gRPC status numbers as in google.rpc.Code. */
export const grpcCode = {
  cancelled: 1,
  unknown: 2,
  invalidArgument: 3,
  deadlineExceeded: 4,
  notFound: 5,
  permissionDenied: 7,
  resourceExhausted: 8,
  failedPrecondition: 9,
  aborted: 10,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export const errorTable = {
  invalid_request: {
    grpc: 3,
    http: 400,
    retryable: false,
    exit: 64,
    means: "A field is missing, malformed or over its limit; the message names it.",
  },
  unsupported: {
    grpc: 12,
    http: 501,
    retryable: false,
    exit: 64,
    means: "The request is well formed but asks for something this server does not do; the message names it.",
  },
  not_found: {
    grpc: 5,
    http: 404,
    retryable: false,
    exit: 66,
    means: "The named model, document, file or outcome does not exist here.",
  },
  unauthenticated: { grpc: 16, http: 401, retryable: false, exit: 77, means: "No valid credentials." },
  permission_denied: {
    grpc: 7,
    http: 403,
    retryable: false,
    exit: 77,
    means: "The caller may not do this (policy, Host or Origin).",
  },
  overloaded: {
    grpc: 8,
    http: 429,
    retryable: true,
    exit: 75,
    means: "A limit on waiting work is reached; try again after the given time.",
  },
  too_late: {
    grpc: 8,
    http: 503,
    retryable: true,
    exit: 75,
    means: "No worker can answer before the deadline, by prediction; nothing was started.",
  },
  no_worker: { grpc: 14, http: 503, retryable: true, exit: 69, means: "No worker that serves the model is connected." },
  worker_lost: {
    grpc: 14,
    http: 502,
    retryable: true,
    exit: 69,
    means: "The worker went away after text had been sent, or every tried worker did.",
  },
  deadline_exceeded: { grpc: 4, http: 504, retryable: false, exit: 75, means: "No useful text before the deadline." },
  cancelled: { grpc: 1, http: 499, retryable: false, exit: 130, means: "The caller went away or said Cancel." },
  draining: { grpc: 14, http: 503, retryable: true, exit: 69, means: "The process is shutting down; connect anew." },
  protocol: {
    grpc: 9,
    http: 502,
    retryable: false,
    exit: 76,
    means: "The peer speaks another protocol version or broke the protocol.",
  },
  model_unusable: {
    grpc: 9,
    http: 500,
    retryable: false,
    exit: 65,
    means: "The model file is missing, corrupt, or lacks what infilling needs.",
  },
  engine_failed: {
    grpc: 13,
    http: 502,
    retryable: true,
    exit: 70,
    means: "The inference engine failed or died during the generation.",
  },
  conflict: {
    grpc: 10,
    http: 409,
    retryable: true,
    exit: 75,
    means: "Somebody else changed it meanwhile, or owns the field; read it anew and try again.",
  },
  unavailable: {
    grpc: 14,
    http: 503,
    retryable: true,
    exit: 69,
    means: "Another service cannot be reached (bus, router, port in use).",
  },
  config: {
    grpc: 13,
    http: 500,
    retryable: false,
    exit: 64,
    means: "The configuration is wrong; every problem is listed at once.",
  },
  internal: { grpc: 13, http: 500, retryable: false, exit: 70, means: "A mistake of ours; the log has the cause." },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errorTable;

interface Details {
  /** Path of the offending field, as in the proto ("trigger.offset_utf16"). */
  readonly field?: string;
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

export class SlipstreamError extends Error {
  readonly code: ErrorCode;
  readonly field: string | undefined;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, details: Details = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "SlipstreamError";
    this.code = code;
    this.field = details.field;
    this.retryAfterMs = details.retryAfterMs;
  }

  get row(): ErrorRow {
    return errorTable[this.code];
  }

  /** Any thrown value as a SlipstreamError: ours as they are, an abort as what it means, all else `internal` with its cause. */
  static from(thrown: unknown): SlipstreamError {
    if (thrown instanceof SlipstreamError) return thrown;
    if (!(thrown instanceof Error)) return new SlipstreamError("internal", sentence(thrown), { cause: thrown });
    if (thrown.name === "AbortError") return new SlipstreamError("cancelled", thrown.message, { cause: thrown });
    if (thrown instanceof DOMException && thrown.name === "TimeoutError")
      return new SlipstreamError("deadline_exceeded", thrown.message, { cause: thrown });
    return new SlipstreamError("internal", thrown.message, { cause: thrown });
  }
}

function sentence(thrown: unknown): string {
  try {
    return String(thrown);
  } catch {
    return "a value that is no error was thrown";
  }
}

/** `invalid_request` for one field. */
export function invalid(field: string, problem: string): SlipstreamError {
  return new SlipstreamError("invalid_request", `${field}: ${problem}`, { field });
}
