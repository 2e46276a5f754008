const secretLike =
  /(["']?\w*(?:password|passwd|secret|token|api[-_]?key|credential)\w*["']?\s*[:=]\s*)("[^"]*"|'[^']*'|[^\s,;&}]+)/gi;
const credentialsInUrl = /(\/\/[^\s:/@]*:)[^\s/@]+@/g;
const bearer = /\b(Bearer|Basic)\s+[\w.~+/=-]+/gi;

/**
 * The last line that a process wrote before it ended, at most 200 characters of it. What looks like a secret is
 * blanked: a status is read by more people than a log is.
 */
export function lastWords(terminationMessage: string): string {
  const line = terminationMessage.trimEnd().split('\n').at(-1)?.trim() ?? '';
  const safe = line.replace(credentialsInUrl, '$1***@').replace(bearer, '$1 ***').replace(secretLike, '$1***');
  return safe.length <= 200 ? safe : `${safe.slice(0, 199)}…`;
}
