/** What the choice of a way to a cluster is made from. */
export interface Circumstances {
  /** The context that was named, of a cluster that there is. */
  readonly context?: string;
  /** The way that was asked for. */
  readonly asked?: string;
  /** The ways by which a cluster of that name is there already. */
  readonly existing: readonly ('embedded' | 'kind')[];
  readonly dockerAnswers: () => Promise<boolean>;
  /** Whether the image of kind's node is there or can be pulled. */
  readonly nodeImageIsHad: () => Promise<boolean>;
}

export interface Choice {
  readonly way: 'embedded' | 'kind' | 'context';
  readonly because: string;
}

/**
 * Chooses how a cluster is had: the one that was named; the one that is there; kind where Docker is; a node on this
 * machine. Asks for no more than it needs to know.
 * @throws Error when what was asked for contradicts itself or cannot be had
 */
export async function chooseWay(circumstances: Circumstances): Promise<Choice> {
  const { context, asked, existing, dockerAnswers, nodeImageIsHad } = circumstances;
  if (asked !== undefined && asked !== 'embedded' && asked !== 'kind') {
    throw new Error(`WAY=${asked}: use embedded or kind; a cluster of your own is named by CONTEXT=`);
  }
  if (context !== undefined) {
    if (asked !== undefined) throw new Error(`CONTEXT=${context} and WAY=${asked}: use one of them`);
    return { way: 'context', because: `the context ${context} was named` };
  }
  if (asked === undefined && existing[0] !== undefined) return { way: existing[0], because: 'it is there already' };
  if (asked === 'embedded') return { way: 'embedded', because: 'it was asked for' };
  if (!(await dockerAnswers())) {
    if (asked === 'kind') throw new Error('WAY=kind: no Docker engine answers; start it, or look at docker info');
    return { way: 'embedded', because: 'no Docker engine answers' };
  }
  if (await nodeImageIsHad()) return { way: 'kind', because: asked === 'kind' ? 'it was asked for' : 'Docker answers' };
  if (asked === 'kind') throw new Error('WAY=kind: the image of its node can neither be found nor pulled');
  return { way: 'embedded', because: 'Docker answers, but the image of a kind node cannot be had' };
}
