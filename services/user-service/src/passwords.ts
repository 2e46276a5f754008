import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { Problem } from '@microservice-platform/common';

export interface Passwords {
  /** What to keep instead of the password: salted, slow to guess from, never the same twice. */
  readonly hash: (password: string) => Promise<string>;
  /** Whether `kept` was made of `password`. Takes just as long when nothing is kept. */
  readonly matches: (password: string, kept: string | undefined) => Promise<boolean>;
}

/** OWASP's choice of little memory and much work: 16 MiB and up to 0.3 s of one core for each guess. */
const cost = { log2N: 14, r: 8, p: 5 } as const;
const saltBytes = 16;
const keyBytes = 32;
/** Node computes on four threads, which name look-ups need, too: their queue must stay short. */
const maxAtOnce = 8;

/** Passwords by scrypt. More than eight at once are refused by a Problem `unavailable`: guessers do not stop the rest. */
export function scryptPasswords(): Passwords {
  let underWay = 0;
  const derive = async (password: string, salt: Buffer, { log2N, r, p }: Cost): Promise<Buffer> => {
    if (underWay >= maxAtOnce) {
      throw new Problem('unavailable', 'too many passwords are being checked; try again in a moment');
    }
    underWay += 1;
    try {
      return await derived(password.normalize('NFKC'), salt, { N: 2 ** log2N, r, p });
    } finally {
      underWay -= 1;
    }
  };
  return {
    hash: async (password) => {
      const salt = randomBytes(saltBytes);
      return written({ ...cost, salt, key: await derive(password, salt, cost) });
    },
    matches: async (password, kept) => {
      const { salt, key, ...its } = kept === undefined ? nobodys() : read(kept);
      return timingSafeEqual(await derive(password, salt, its), key);
    },
  };
}

interface Cost {
  readonly log2N: number;
  readonly r: number;
  readonly p: number;
}

interface Kept extends Cost {
  readonly salt: Buffer;
  readonly key: Buffer;
}

/** The key of no password at all. */
function nobodys(): Kept {
  return { ...cost, salt: randomBytes(saltBytes), key: randomBytes(keyBytes) };
}

/** Names its own cost, so that a later choice leaves what is kept already readable. */
function written({ log2N, r, p, salt, key }: Kept): string {
  return `$scrypt$ln=${log2N},r=${r},p=${p}$${salt.toString('base64')}$${key.toString('base64')}`;
}

function read(kept: string): Kept {
  const parts = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([^$]+)\$([^$]+)$/.exec(kept);
  if (parts === null) throw new Error('a password is kept in a form that this version does not know');
  const [log2N, r, p] = parts.slice(1, 4).map(Number) as [number, number, number];
  const [salt, key] = parts.slice(4).map((it) => Buffer.from(it, 'base64')) as [Buffer, Buffer];
  return { log2N, r, p, salt, key };
}

function derived(password: string, salt: Buffer, options: ScryptOptions): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, keyBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}
