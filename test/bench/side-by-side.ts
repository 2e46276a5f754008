/** As many as a Transport has connections, and as the operator has workers. */
const atOnce = 32;

/** Does the work for each of the items, 32 at a time. Fails with the first failure. */
export async function sideBySide<T>(items: readonly T[], work: (item: T) => Promise<unknown>): Promise<void> {
  const rest = items.values();
  const worker = async () => {
    for (const item of rest) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
