/** The tag of an image, or the beginning of its digest; `latest` when it has neither, as the container runtime takes it. */
export function versionOf(image: string): string {
  const [reference = '', digest] = image.split('@');
  const tag = /:([^/:]+)$/.exec(reference)?.[1];
  return (tag ?? digest?.slice(0, 'sha256:'.length + 12) ?? 'latest').slice(0, 128);
}
