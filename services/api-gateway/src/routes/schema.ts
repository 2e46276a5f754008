import { type Static, Type } from 'typebox';

/**
 * The words and bounds of a route file. What one field cannot tell by itself is in table.ts. A description completes the
 * sentence "FIELD is not ..." for whoever wrote the file.
 */

const strict = { additionalProperties: false } as const;

const backendName = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'a name of lower-case letters, digits and -',
});

/** Plain characters of RFC 3986; `:name` stands for one segment, `*` at the end for everything below. */
const segment = '(?:[\\w.~-]+|:[A-Za-z]\\w*)';
const path = Type.String({
  pattern: `^/(?:${segment}(?:/${segment})*(?:/\\*)?|\\*)?$`,
  maxLength: 200,
  description: 'a path such as /orders, /orders/:id or /orders/*, without a / at its end',
});

/** HEAD comes with GET. */
const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** Opens when more than this share of at least so many attempts failed within ten seconds, for so long. */
const breakerSchema = Type.Object(
  {
    threshold: Type.Optional(Type.Number({ minimum: 0.01, maximum: 1 })),
    minAttempts: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    openMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 60_000 })),
  },
  strict,
);

const backendSchema = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://[\\w.:\\[\\]-]+$',
      maxLength: 300,
      description: 'the address of a server, such as http://order-service:8080',
    }),
    /** For a whole call, retries included. */
    timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
    maxConcurrent: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    breaker: Type.Optional(breakerSchema),
  },
  strict,
);

/** A server of gRPC, and the contract that it keeps: a file below services/, which every image has. */
const grpcBackendSchema = Type.Object(
  {
    address: Type.String({
      pattern: '^(?:ipv4:[\\d.:,]+|[\\w.-]+:\\d{1,5})$',
      maxLength: 300,
      description: 'the address of a server, such as product-service:50051',
    }),
    contract: Type.String({
      pattern: '^[a-z-]+/proto/[a-z0-9_]+\\.proto$',
      maxLength: 200,
      description: 'the path of a contract, such as product-service/proto/product.proto',
    }),
    timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
    maxConcurrent: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
  },
  strict,
);

/** A unary call. Fields of its request come from the path and the query (`{name}`) or are as they are; others from the body. */
const grpcSchema = Type.Object(
  {
    backend: backendName,
    method: Type.String({
      pattern: '^[A-Za-z_][\\w.]*/[A-Za-z_]\\w*$',
      maxLength: 200,
      description: 'a method such as product.ProductService/GetProduct',
    }),
    request: Type.Optional(
      Type.Record(
        Type.String({ pattern: '^[a-z]\\w{0,63}$' }),
        Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
        strict,
      ),
    ),
  },
  strict,
);

/** An answer without an end of its own, passed on as it comes. */
const streamSchema = Type.Object(
  {
    backend: backendName,
    /** At once, of this route at one replica; more are refused. */
    maxStreams: Type.Optional(Type.Integer({ minimum: 1, maximum: 10_000 })),
    /** A stream that says nothing for so long is ended. */
    idleMs: Type.Optional(Type.Integer({ minimum: 100, maximum: 600_000 })),
    /** So long a stream lasts at most; the caller comes again. */
    longestMs: Type.Optional(Type.Integer({ minimum: 1_000, maximum: 3_600_000 })),
  },
  strict,
);

/** Who issues the tokens that callers bring, for whom, and which backend publishes the keys that verify them. */
const tokensSchema = Type.Object(
  {
    issuer: Type.String({ minLength: 1, maxLength: 200 }),
    audience: Type.String({ minLength: 1, maxLength: 200 }),
    keys: Type.Object(
      {
        backend: backendName,
        path,
        /** A key that is taken back is refused after so long. */
        refreshSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 3_600 })),
        /** While the backend does not answer, the last known keys hold for so long. */
        staySeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
      },
      strict,
    ),
  },
  strict,
);

const scope = Type.String({
  pattern: '^[a-z][a-z0-9._:-]{0,63}$',
  description: 'a scope such as orders:read',
});

const limitName = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,62}$',
  description: 'a name of lower-case letters, digits and -',
});

/** At most so many requests of one client in any so many seconds. */
const rateLimitSchema = Type.Object(
  {
    requests: Type.Integer({ minimum: 1, maximum: 1_000_000 }),
    seconds: Type.Integer({ minimum: 1, maximum: 86_400 }),
  },
  strict,
);

const headerName = Type.String({ pattern: '^[a-z][a-z0-9-]{0,63}$' });
const headerValue = Type.String({
  pattern: '^[\\x21-\\x7e]([\\x20-\\x7e]*[\\x21-\\x7e])?$',
  maxLength: 1_000,
  description: 'the value of a header: visible ASCII',
});

const answerSchema = Type.Object(
  {
    status: Type.Integer({ minimum: 200, maximum: 599 }),
    headers: Type.Optional(Type.Record(headerName, headerValue, strict)),
    /** A text is sent as it is, anything else as JSON. */
    body: Type.Optional(Type.Unknown()),
  },
  strict,
);

/** A path whose segments may be a parameter of the route, or a field of what an earlier part was answered with. */
const field = '[A-Za-z_]\\w*(?:\\.\\w+)*';
const partSegment = `(?:${segment}|\\{${field}\\})`;
const partSchema = Type.Object(
  {
    backend: backendName,
    path: Type.String({
      pattern: `^(?:/${partSegment})+$`,
      maxLength: 200,
      description: 'a path such as /orders/:id or /users/{order.user_id}',
    }),
    /** When it fails, the answer has null in its place, and the header x-incomplete names it. */
    optional: Type.Optional(Type.Boolean()),
  },
  strict,
);

/** One answer of several: each part under its name. A part is asked for as soon as those are there that its path names. */
const composeSchema = Type.Object(
  {
    parts: Type.Record(Type.String({ pattern: '^[a-z][a-z_]{0,30}$' }), partSchema, {
      ...strict,
      minProperties: 1,
      maxProperties: 8,
    }),
  },
  strict,
);

const day = 86_400;
const cacheSchema = Type.Object(
  {
    /** For so long an answer is given again without asking; with 0 it is only kept for `mask`. */
    seconds: Type.Integer({ minimum: 0, maximum: day }),
    /** For so long after that it may stand in for one that fails. */
    staleIfErrorSeconds: Type.Optional(Type.Integer({ minimum: 0, maximum: day })),
    /** One answer for all callers; otherwise each has its own. */
    shared: Type.Optional(Type.Boolean()),
  },
  strict,
);

/** What is answered when nobody else does: the last good answer, or this one. */
const maskSchema = Type.Object(
  { cached: Type.Optional(Type.Boolean()), default: Type.Optional(answerSchema) },
  { ...strict, minProperties: 1 },
);

const profileName = Type.String({
  pattern: '^[a-z][a-z0-9-]{0,30}$',
  description: 'a name of lower-case letters, digits and -',
});
const fields = Type.Array(
  Type.String({ pattern: `^${field}$`, maxLength: 200, description: 'a field such as status or items.id' }),
  { minItems: 1, maxItems: 100, uniqueItems: true },
);
/** Which fields a kind of client gets: only these, or all but these. A field of a list is that of each in it. */
const shapeSchema = Type.Object(
  { keep: Type.Optional(fields), drop: Type.Optional(fields) },
  { ...strict, minProperties: 1, maxProperties: 1 },
);

const routeSchema = Type.Object(
  {
    path,
    methods: Type.Array(Type.Enum(methods), { minItems: 1, uniqueItems: true }),
    /** Also below `/v<version>` of each. */
    versions: Type.Optional(Type.Array(Type.Integer({ minimum: 1, maximum: 99 }), { uniqueItems: true })),
    /** Where requests go; they are forwarded at the same path. */
    backend: Type.Optional(backendName),
    /** What is answered without asking anyone. */
    answer: Type.Optional(answerSchema),
    compose: Type.Optional(composeSchema),
    grpc: Type.Optional(grpcSchema),
    stream: Type.Optional(streamSchema),
    /** For all that is asked of backends, retries included; no more than these have anyway. */
    timeoutMs: Type.Optional(Type.Integer({ minimum: 50, maximum: 10_000 })),
    /** Of calls that may be made twice; 1 without it. */
    retries: Type.Optional(Type.Integer({ minimum: 0, maximum: 2 })),
    cache: Type.Optional(cacheSchema),
    mask: Type.Optional(maskSchema),
    /** By profile; a client of another profile, or of none, gets everything. */
    shapes: Type.Optional(Type.Record(profileName, shapeSchema, { ...strict, minProperties: 1 })),
    /** Takes a token that has all of these scopes; with none of them, any token. Without the field, whoever asks. */
    scopes: Type.Optional(Type.Array(scope, { maxItems: 20, uniqueItems: true })),
    /** The limit that each client has here, together with all routes that name it. */
    rateLimit: Type.Optional(limitName),
  },
  strict,
);

export const routeFileSchema = Type.Object(
  {
    backends: Type.Record(backendName, backendSchema, strict),
    grpcBackends: Type.Optional(Type.Record(backendName, grpcBackendSchema, strict)),
    /** What clients may say that they are, in x-client-profile. */
    profiles: Type.Optional(Type.Array(profileName, { maxItems: 20, uniqueItems: true })),
    tokens: Type.Optional(tokensSchema),
    rateLimits: Type.Optional(Type.Record(limitName, rateLimitSchema, strict)),
    routes: Type.Array(routeSchema, { minItems: 1, maxItems: 1_000 }),
  },
  strict,
);

export type Backend = Static<typeof backendSchema>;
export type GrpcBackend = Static<typeof grpcBackendSchema>;
export type GrpcRoute = Static<typeof grpcSchema>;
export type StreamRoute = Static<typeof streamSchema>;
export type StaticAnswer = Static<typeof answerSchema>;
export type Part = Static<typeof partSchema>;
export type CacheRule = Static<typeof cacheSchema>;
export type Shape = Static<typeof shapeSchema>;
export type Tokens = Static<typeof tokensSchema>;
export type RateLimit = Static<typeof rateLimitSchema>;
export type Route = Static<typeof routeSchema>;
export type RouteFile = Static<typeof routeFileSchema>;
