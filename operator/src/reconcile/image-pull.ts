import { type Cause, shortened } from './cause.ts';

type PullFault = Pick<Cause, 'what' | 'remedy' | 'permanent'>;

/** Faults on the way to the registry. They pass, most of them, and their words change from one try to the next. */
const onTheWay =
  /dial tcp|no such host|server misbehaving|i\/o timeout|connection (refused|reset)|is unreachable|TLS handshake|x509:|\bEOF\b|deadline exceeded|too ?many ?requests|\b(429|50\d) [A-Z]|status( code)?:? (429|50\d)/i;

/** Answers of a registry or of the container runtime that stay the same until somebody acts. */
const lasting: readonly { readonly said: RegExp; readonly what: string; readonly remedy: string }[] = [
  {
    said: /: not found|NotFound|manifest unknown|name unknown|404 Not Found|status( code)?:? 404/i,
    what: 'was not found in its registry',
    remedy: 'check name and tag in spec.image',
  },
  {
    said: /unauthorized|forbidden|access denied|authorization failed|authentication required|no basic auth/i,
    what: 'may not be pulled, or does not exist',
    remedy: 'check the name in spec.image, and the rights of the nodes at that registry',
  },
  {
    said: /InvalidImageName|invalid reference format|couldn't parse image/i,
    what: 'is not a valid image reference',
    remedy: 'correct spec.image',
  },
  {
    said: /ErrImageNeverPull|no match for platform|SignatureValidationFailed/i,
    what: 'cannot be used on the node',
    remedy: 'check that the image is there for the platform of the nodes, and signed if it has to be',
  },
];

/** Reads the reason and message of a container whose image cannot be pulled; the same fault gives the same words. */
export function pullFault(image: string, reason: string, message: string): PullFault {
  if (onTheWay.test(message)) {
    return {
      what: `image ${image} cannot be pulled: its registry cannot be reached`,
      remedy: 'check the registry in spec.image, and the network and DNS of the nodes',
      permanent: false,
    };
  }
  const known = lasting.find(({ said }) => said.test(`${reason} ${message}`));
  if (known) return { what: `image ${image} ${known.what}`, remedy: known.remedy, permanent: true };
  const said = shortened(message.replace(/^Back-off pulling image "[^"]*"(: )?/, '').replace(/^ErrImagePull: /, ''));
  return {
    what: `image ${image} cannot be pulled${said === '' ? '' : `: ${said}`}`,
    remedy: 'check spec.image and its registry',
    permanent: false,
  };
}
